// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/pieces.h"
#include "engine/cpu/vector_loops.h"
#include "engine/ops/validate.h"

#include <cblas.h>
#include <cmath>
#include <limits>

namespace fkv {

namespace {

/// Rows from which on one product of their logits is worth the memory.
constexpr std::int64_t kFewRows = 8;

/// The first token that row r of the window sees.
std::int64_t firstSeen(const ops::WindowSumsParams& p, std::int64_t row) {
    return p.firstRows.empty() ? 0 : p.firstRows[static_cast<std::size_t>(row)];
}

}  // namespace

void CpuBackend::windowSums(const ops::WindowSumsParams& p) {
    ops::validate(p, m_info);
    if (p.out.cols == 0) return;
    m_pool.parallelFor(static_cast<std::size_t>(p.queryHeads), [&](std::size_t head, int worker) {
        sumWindow(p, static_cast<std::int64_t>(head), m_workers[static_cast<std::size_t>(worker)]);
    });
}

void CpuBackend::sumWindow(const ops::WindowSumsParams& p, std::int64_t head,
                           Worker& worker) const {
    const std::int64_t length = p.keys.length;
    float* out = cpu::rowOf(p.out, head);
    std::fill_n(out, length - p.queries.rows, 0.0F);
    const std::int64_t rows = std::min(p.queries.rows, cpu::kWindowLogits / length);
    if (rows >= std::min(p.queries.rows, kFewRows))
        sumShortWindow(p, head, rows, worker);
    else
        sumLongWindow(p, head, worker);
}

// Logits of some rows are kept until their sum is known.
void CpuBackend::sumShortWindow(const ops::WindowSumsParams& p, std::int64_t head,
                                std::int64_t rowsAtOnce, Worker& worker) const {
    const std::int64_t d = p.keys.headDim;
    const std::int64_t length = p.keys.length;
    const std::int64_t before = length - p.queries.rows;
    const std::int64_t group = head / (p.queryHeads / p.keys.kvHeads);
    const float* keys = static_cast<const float*>(p.keys.keys) + group * p.keys.capacity * d;
    float* logits = cpu::scratch(worker.windowLogits, rowsAtOnce * length);
    for (std::int64_t first = 0; first < p.queries.rows; first += rowsAtOnce) {
        const std::int64_t rows = std::min(rowsAtOnce, p.queries.rows - first);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows),
                    static_cast<int>(length), static_cast<int>(d), p.scale,
                    cpu::rowOf(p.queries, first) + head * d, static_cast<int>(p.queries.stride),
                    keys, static_cast<int>(d), 0.0F, logits, static_cast<int>(length));
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t begin = firstSeen(p, first + r);
            float* row = logits + r * length + begin;
            const std::int64_t seen = before + first + r + 1 - begin;
            const float total = cpu::expShifted(row, seen, cpu::maxOf(row, seen));
            cpu::addScaled(cpu::rowOf(p.out, head) + begin, row, before - begin, 1.0F / total);
        }
    }
}

// Two passes over the keys, the logits computed twice: all of them would not stay in the cache.
void CpuBackend::sumLongWindow(const ops::WindowSumsParams& p, std::int64_t head,
                           Worker& worker) const {
    const std::int64_t d = p.keys.headDim;
    const std::int64_t window = p.queries.rows;
    const std::int64_t length = p.keys.length;
    const std::int64_t before = length - window;
    const std::int64_t group = head / (p.queryHeads / p.keys.kvHeads);
    const float* keys = static_cast<const float*>(p.keys.keys) + group * p.keys.capacity * d;
    float* scores = cpu::scratch(worker.scores, cpu::kQueryBlock * cpu::kKeyBlock);
    float* highest = cpu::scratch(worker.highest, cpu::kQueryBlock);
    float* total = cpu::scratch(worker.total, cpu::kQueryBlock);
    float* out = cpu::rowOf(p.out, head);

    for (std::int64_t first = 0; first < window; first += cpu::kQueryBlock) {
        const std::int64_t rows = std::min(cpu::kQueryBlock, window - first);
        const auto logits = [&](std::int64_t begin, std::int64_t count) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows),
                        static_cast<int>(count), static_cast<int>(d), p.scale,
                        cpu::rowOf(p.queries, first) + head * d, static_cast<int>(p.queries.stride),
                        keys + begin * d, static_cast<int>(d), 0.0F, scores,
                        static_cast<int>(cpu::kKeyBlock));
        };
        std::fill_n(highest, rows, -std::numeric_limits<float>::infinity());
        std::fill_n(total, rows, 0.0F);
        for (std::int64_t begin = 0; begin < length; begin += cpu::kKeyBlock) {
            const std::int64_t count = std::min(cpu::kKeyBlock, length - begin);
            logits(begin, count);
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::int64_t end =
                    std::clamp<std::int64_t>(before + first + r + 1 - begin, 0, count);
                const std::int64_t hidden =
                    std::clamp<std::int64_t>(firstSeen(p, first + r) - begin, 0, count);
                const std::int64_t seen = end - hidden;
                if (seen <= 0) continue;
                float* row = scores + r * cpu::kKeyBlock + hidden;
                const float high = std::max(highest[r], cpu::maxOf(row, seen));
                if (total[r] != 0.0F) total[r] *= std::exp(highest[r] - high);
                highest[r] = high;
                total[r] += cpu::expShifted(row, seen, high);
            }
        }
        for (std::int64_t begin = 0; begin < before; begin += cpu::kKeyBlock) {
            const std::int64_t count = std::min(cpu::kKeyBlock, before - begin);
            logits(begin, count);
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::int64_t hidden =
                    std::clamp<std::int64_t>(firstSeen(p, first + r) - begin, 0, count);
                float* row = scores + r * cpu::kKeyBlock + hidden;
                cpu::expShifted(row, count - hidden, highest[r]);
                cpu::addScaled(out + begin + hidden, row, count - hidden, 1.0F / total[r]);
            }
        }
    }
}

void CpuBackend::saliency(const ops::SaliencyParams& p) {
    ops::validate(p, m_info);
    const std::int64_t tokens = p.windowSums.cols;
    if (tokens == 0) return;
    const std::int64_t heads = p.windowSums.rows / p.kvHeads;
    m_pool.parallelFor(static_cast<std::size_t>(p.kvHeads), [&](std::size_t i, int) {
        const auto group = static_cast<std::int64_t>(i);
        select::PoolParams pool{};
        pool.windowSums = {cpu::rowOf(p.windowSums, group * heads),
                           static_cast<std::size_t>(heads * tokens)};
        pool.saliency = {cpu::rowOf(p.saliency, group), static_cast<std::size_t>(tokens)};
        pool.queryHeads = heads;
        pool.kvHeads = 1;
        pool.tokens = tokens;
        pool.kernel = p.kernel;
        pool.average = p.average;
        select::poolAndGroup(pool);
        std::fill_n(pool.saliency.data(), p.firstCandidate, 0.0F);
    });
    select::sumRows({cpu::rowOf(p.saliency, 0), static_cast<std::size_t>(p.kvHeads * tokens)},
                    p.kvHeads, {cpu::rowOf(p.total, 0), static_cast<std::size_t>(tokens)});
}

void CpuBackend::ranks(const ops::RanksParams& p) {
    ops::validate(p, m_info);
    const auto tokens = static_cast<std::size_t>(p.scores.cols);
    if (tokens == 0) return;
    m_pool.parallelFor(static_cast<std::size_t>(p.scores.rows), [&](std::size_t i, int worker) {
        const auto row = static_cast<std::int64_t>(i);
        select::rankDescending({cpu::rowOf(p.scores, row), tokens},
                               {p.ranks.as<std::uint32_t>() + row * p.ranks.stride, tokens},
                               m_workers[static_cast<std::size_t>(worker)].rank);
    });
}

}  // namespace fkv
