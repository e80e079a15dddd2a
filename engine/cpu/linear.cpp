// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/pieces.h"
#include "engine/cpu/vector_loops.h"
#include "engine/ops/validate.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fkv {
namespace {

constexpr std::int64_t kRowsOfRowwise = 16;  ///< rows in a piece of an op that goes row by row

template <class Task>
void byRows(ThreadPool& pool, std::int64_t rows, const Task& task) {
    const std::int64_t pieces = cpu::piecesOf(rows, kRowsOfRowwise);
    pool.parallelFor(static_cast<std::size_t>(pieces), [&](std::size_t i, int) {
        const std::int64_t first = static_cast<std::int64_t>(i) * kRowsOfRowwise;
        const std::int64_t end = std::min(rows, first + kRowsOfRowwise);
        for (std::int64_t r = first; r < end; ++r) task(r);
    });
}

void normRow(float* out, const float* x, const ops::View& weight, float eps) {
    const std::int64_t n = weight.cols;
    const float mean = cpu::sumSquares(x, n) / static_cast<float>(n);
    cpu::scaleBy(out, x, weight.as<float>(), n, 1.0F / std::sqrt(mean + eps));
}

}  // namespace

void CpuBackend::linear(const ops::LinearParams& p) {
    ops::validate(p, m_info);
    if (p.out.elements() == 0) return;
    const std::int64_t columnPieces = cpu::piecesOf(p.out.cols, cpu::kColumnPiece);
    const std::int64_t pieces = cpu::piecesOf(p.out.rows, cpu::kRowPiece) * columnPieces;
    m_pool.parallelFor(static_cast<std::size_t>(pieces), [&](std::size_t i, int worker) {
        const auto piece = static_cast<std::int64_t>(i);
        multiplyPiece(p, piece / columnPieces * cpu::kRowPiece,
                      piece % columnPieces * cpu::kColumnPiece,
                      m_workers[static_cast<std::size_t>(worker)]);
    });
}

void CpuBackend::multiplyPiece(const ops::LinearParams& p, std::int64_t row, std::int64_t column,
                               Worker& worker) const {
    const std::int64_t rows = std::min(cpu::kRowPiece, p.out.rows - row);
    const std::int64_t columns = std::min(cpu::kColumnPiece, p.out.cols - column);
    const std::int64_t in = p.x.cols;
    // What the product is added to is written first, so that nothing stale is ever multiplied by 0.
    for (std::int64_t r = row; r < row + rows; ++r) {
        float* out = cpu::rowOf(p.out, r) + column;
        if (!p.accumulate) std::fill_n(out, columns, 0.0F);
        if (p.bias.data != nullptr)
            cpu::addScaled(out, p.bias.as<float>() + column, columns, 1.0F);
    }
    cpu::Product product{};
    product.accumulate = true;
    product.out = cpu::rowOf(p.out, row) + column;
    product.outStep = p.out.stride;
    const cpu::Stored stored = cpu::storedAs(p.weight.dtype);
    // Not for a last row that its piece has alone: it has the bits of its neighbours' order of sums.
    if (p.out.rows == 1) {
        m_kernels.dotRows({cpu::weightsAt(p.weight, column, 0), stored, p.weight.stride,
                           cpu::rowOf(p.x, row), product.out, columns, in, true});
        return;
    }
    // A vector past the last column would spill into memory that is not ours.
    const bool whole = columns % cpu::kLanes == 0;
    float* panel = cpu::scratch(worker.panel, cpu::kDepthPiece * cpu::kColumnPiece);
    float* partial = cpu::scratch(worker.partial, cpu::kRowPiece * cpu::kColumnPiece);
    float* widened = cpu::scratch(worker.widened, cpu::kDepthPiece * cpu::kColumnPiece);
    if (!whole) {
        product.out = partial;
        product.outStep = cpu::kColumnPiece;
        std::fill_n(partial, rows * cpu::kColumnPiece, 0.0F);
    }
    for (std::int64_t begin = 0; begin < in; begin += cpu::kDepthPiece) {
        product.depth = std::min(cpu::kDepthPiece, in - begin);
        cpu::Product weights{};
        if (stored == cpu::Stored::F32) {
            weights.a = cpu::rowOf(p.weight, column) + begin;
            weights.aRowStep = p.weight.stride;
        } else {
            weights.a = widened;
            weights.aRowStep = cpu::kDepthPiece;
            for (std::int64_t c = 0; c < columns; ++c)
                m_kernels.widen(cpu::weightsAt(p.weight, column + c, begin), stored,
                                widened + c * cpu::kDepthPiece, product.depth);
        }
        weights.out = panel;
        weights.outStep = cpu::kColumnPiece;
        weights.rows = columns;
        weights.depth = product.depth;
        m_kernels.transpose(weights);
        product.a = cpu::rowOf(p.x, row) + begin;
        product.aRowStep = p.x.stride;
        product.aDepthStep = 1;
        product.b = panel;
        product.bStep = cpu::kColumnPiece;
        product.rows = rows;
        product.lanes = cpu::padded(columns);
        m_kernels.multiply(product);
    }
    for (std::int64_t r = 0; r < rows && !whole; ++r)
        cpu::addScaled(cpu::rowOf(p.out, row + r) + column, partial + r * cpu::kColumnPiece,
                       columns, 1.0F);
}

void CpuBackend::embed(const ops::EmbedParams& p) {
    ops::validate(p, m_info);
    byRows(m_pool, p.out.rows, [&](std::int64_t r) {
        m_kernels.widen(cpu::weightsAt(p.table, p.ids[static_cast<std::size_t>(r)], 0),
                        cpu::storedAs(p.table.dtype), cpu::rowOf(p.out, r), p.out.cols);
    });
}

void CpuBackend::rmsNorm(const ops::RmsNormParams& p) {
    ops::validate(p, m_info);
    byRows(m_pool, p.x.rows, [&](std::int64_t r) {
        normRow(cpu::rowOf(p.out, r), cpu::rowOf(p.x, r), p.weight, p.eps);
    });
}

void CpuBackend::swiglu(const ops::SwigluParams& p) {
    ops::validate(p, m_info);
    byRows(m_pool, p.out.rows, [&](std::int64_t r) {
        const float* gate = cpu::rowOf(p.gateUp, r);
        cpu::siluMultiply(cpu::rowOf(p.out, r), gate, gate + p.out.cols, p.out.cols);
    });
}

void CpuBackend::ropeAppend(const ops::RopeAppendParams& p) {
    ops::validate(p, m_info);
    const ops::KvView& kv = p.cache;
    const std::int64_t d = kv.headDim;
    const auto bytes = static_cast<std::size_t>(d) * sizeof(float);
    byRows(m_pool, p.qkv.rows, [&](std::int64_t r) {
        const std::int32_t position = p.positions[static_cast<std::size_t>(r)];
        float* row = cpu::rowOf(p.qkv, r);
        for (std::int64_t h = 0; h < p.queryHeads + kv.kvHeads; ++h) {
            float* head = row + h * d;
            const ops::View& norm = h < p.queryHeads ? p.queryNorm : p.keyNorm;
            if (norm.data != nullptr) normRow(head, head, norm, p.eps);
            cpu::rotate(head, head + d / 2, cpu::rowOf(p.cosTable, position),
                        cpu::rowOf(p.sinTable, position), d / 2);
        }
        for (std::int64_t g = 0; g < kv.kvHeads; ++g) {
            const std::int64_t slot = (g * kv.capacity + p.at + r) * d;
            const float* key = row + (p.queryHeads + g) * d;
            std::memcpy(static_cast<float*>(kv.keys) + slot, key, bytes);
            std::memcpy(static_cast<float*>(kv.values) + slot, key + kv.kvHeads * d, bytes);
        }
    });
}

}  // namespace fkv
