// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/pieces.h"
#include "engine/cpu/vector_loops.h"
#include "engine/ops/validate.h"

#include <cblas.h>
#include <cmath>
#include <cstring>

namespace fkv {
namespace {

constexpr std::int64_t kRowPiece = 256;
constexpr std::int64_t kColumnPiece = 256;
constexpr std::int64_t kRowsOfRowwise = 16;  ///< rows in a piece of an op that goes row by row

void multiplyPiece(const ops::LinearParams& p, std::int64_t row, std::int64_t rows,
                   std::int64_t column, std::int64_t columns) {
    const auto stride = static_cast<int>(p.x.stride);
    const auto in = static_cast<int>(p.x.cols);
    const float* weight = cpu::rowOf(p.weight, column);
    const auto weightStride = static_cast<int>(p.weight.stride);
    // What the product is added to is written first, so that nothing stale is ever multiplied by 0.
    for (std::int64_t r = row; r < row + rows; ++r) {
        float* out = cpu::rowOf(p.out, r) + column;
        const float* bias = p.bias.data == nullptr ? nullptr : p.bias.as<float>() + column;
        if (!p.accumulate) std::fill_n(out, columns, 0.0F);
        if (bias != nullptr) cpu::addScaled(out, bias, columns, 1.0F);
    }
    float* out = cpu::rowOf(p.out, row) + column;
    if (rows == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, static_cast<int>(columns), in, 1.0F, weight,
                    weightStride, cpu::rowOf(p.x, row), 1, 1.0F, out, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows),
                    static_cast<int>(columns), in, 1.0F, cpu::rowOf(p.x, row), stride, weight,
                    weightStride, 1.0F, out, static_cast<int>(p.out.stride));
}

template <class Task>
void byRows(ThreadPool& pool, std::int64_t rows, const Task& task) {
    const std::int64_t pieces = cpu::piecesOf(rows, kRowsOfRowwise);
    pool.parallelFor(static_cast<std::size_t>(pieces), [&](std::size_t i, int) {
        const std::int64_t first = static_cast<std::int64_t>(i) * kRowsOfRowwise;
        const std::int64_t end = std::min(rows, first + kRowsOfRowwise);
        for (std::int64_t r = first; r < end; ++r) task(r);
    });
}

}  // namespace

void CpuBackend::linear(const ops::LinearParams& p) {
    ops::validate(p, m_info);
    if (p.out.elements() == 0) return;
    const std::int64_t columnPieces = cpu::piecesOf(p.out.cols, kColumnPiece);
    const std::int64_t pieces = cpu::piecesOf(p.out.rows, kRowPiece) * columnPieces;
    m_pool.parallelFor(static_cast<std::size_t>(pieces), [&](std::size_t i, int) {
        const auto piece = static_cast<std::int64_t>(i);
        const std::int64_t row = piece / columnPieces * kRowPiece;
        const std::int64_t column = piece % columnPieces * kColumnPiece;
        multiplyPiece(p, row, std::min(kRowPiece, p.out.rows - row), column,
                      std::min(kColumnPiece, p.out.cols - column));
    });
}

void CpuBackend::embed(const ops::EmbedParams& p) {
    ops::validate(p, m_info);
    const auto bytes = static_cast<std::size_t>(p.out.cols) * sizeof(float);
    byRows(m_pool, p.out.rows, [&](std::int64_t r) {
        std::memcpy(cpu::rowOf(p.out, r), cpu::rowOf(p.table, p.ids[static_cast<std::size_t>(r)]),
                    bytes);
    });
}

void CpuBackend::rmsNorm(const ops::RmsNormParams& p) {
    ops::validate(p, m_info);
    const std::int64_t n = p.x.cols;
    byRows(m_pool, p.x.rows, [&](std::int64_t r) {
        const float* x = cpu::rowOf(p.x, r);
        const float mean = cpu::sumSquares(x, n) / static_cast<float>(n);
        cpu::scaleBy(cpu::rowOf(p.out, r), x, p.weight.as<float>(), n,
                     1.0F / std::sqrt(mean + p.eps));
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
        for (std::int64_t h = 0; h < p.queryHeads + kv.kvHeads; ++h)
            cpu::rotate(row + h * d, row + h * d + d / 2, cpu::rowOf(p.cosTable, position),
                        cpu::rowOf(p.sinTable, position), d / 2);
        for (std::int64_t g = 0; g < kv.kvHeads; ++g) {
            const std::int64_t slot = (g * kv.capacity + p.at + r) * d;
            const float* key = row + (p.queryHeads + g) * d;
            std::memcpy(static_cast<float*>(kv.keys) + slot, key, bytes);
            std::memcpy(static_cast<float*>(kv.values) + slot, key + kv.kvHeads * d, bytes);
        }
    });
}

}  // namespace fkv
