// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/pieces.h"
#include "engine/cpu/vector_loops.h"
#include "engine/ops/validate.h"

#include <cblas.h>
#include <cmath>
#include <cstring>
#include <limits>

namespace fkv {
namespace {

std::int64_t visible(const ops::KvRange& range, std::int64_t row) {
    if (!range.visibleRows.empty()) return range.visibleRows[static_cast<std::size_t>(row)];
    return std::clamp<std::int64_t>(range.causalOffset + row + 1, 0, range.kv.length);
}

}  // namespace

void CpuBackend::attention(const ops::AttentionParams& p) {
    ops::validate(p, m_info);
    const std::int64_t rows = p.queries.rows;
    if (rows == 0) return;
    std::int64_t groups = p.queryHeads;
    for (int i = 0; i < p.rangeCount; ++i)
        if (p.ranges[static_cast<std::size_t>(i)].kv.length > 0)
            groups = p.ranges[static_cast<std::size_t>(i)].kv.kvHeads;
    // The heads of a group read the same keys, so their queries are stacked into one product.
    const std::int64_t heads = p.queryHeads / groups;
    const std::int64_t blockRows = std::max<std::int64_t>(1, cpu::kQueryBlock / heads);
    const std::int64_t blocks = cpu::piecesOf(rows, blockRows);
    m_pool.parallelFor(static_cast<std::size_t>(blocks * groups), [&](std::size_t i, int worker) {
        const auto piece = static_cast<std::int64_t>(i);
        // Late rows see the most keys: they start first, so that no thread is left with one at the
        // end.
        const std::int64_t first = (blocks - 1 - piece / groups) * blockRows;
        attend(p, piece % groups, first, std::min(blockRows, rows - first), heads,
               m_workers[static_cast<std::size_t>(worker)]);
    });
}

void CpuBackend::attend(const ops::AttentionParams& p, std::int64_t group, std::int64_t firstRow,
                        std::int64_t rows, std::int64_t heads, Worker& worker) const {
    const std::int64_t d = p.queries.cols / p.queryHeads;
    const std::int64_t stacked = rows * heads;
    float* queries = cpu::scratch(worker.queries, stacked * d);
    float* sums = cpu::scratch(worker.sums, stacked * d);
    float* scores = cpu::scratch(worker.scores, stacked * cpu::kKeyBlock);
    float* highest = cpu::scratch(worker.highest, stacked);
    float* total = cpu::scratch(worker.total, stacked);
    const auto bytes = static_cast<std::size_t>(heads * d) * sizeof(float);
    for (std::int64_t r = 0; r < rows; ++r)
        std::memcpy(queries + r * heads * d,
                    cpu::rowOf(p.queries, firstRow + r) + group * heads * d, bytes);
    std::fill_n(sums, stacked * d, 0.0F);
    std::fill_n(highest, stacked, -std::numeric_limits<float>::infinity());
    std::fill_n(total, stacked, 0.0F);

    for (int i = 0; i < p.rangeCount; ++i) {
        const ops::KvRange& range = p.ranges[static_cast<std::size_t>(i)];
        std::int64_t end = 0;
        for (std::int64_t r = 0; r < rows; ++r) end = std::max(end, visible(range, firstRow + r));
        const std::int64_t base = group * range.kv.capacity * d;
        for (std::int64_t begin = 0; begin < end; begin += cpu::kKeyBlock) {
            const std::int64_t keys = std::min(cpu::kKeyBlock, end - begin);
            const float* k = static_cast<const float*>(range.kv.keys) + base + begin * d;
            const float* v = static_cast<const float*>(range.kv.values) + base + begin * d;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(stacked),
                        static_cast<int>(keys), static_cast<int>(d), p.scale, queries,
                        static_cast<int>(d), k, static_cast<int>(d), 0.0F, scores,
                        static_cast<int>(cpu::kKeyBlock));
            for (std::int64_t q = 0; q < stacked; ++q) {
                float* row = scores + q * cpu::kKeyBlock;
                const std::int64_t seen =
                    std::clamp<std::int64_t>(visible(range, firstRow + q / heads) - begin, 0, keys);
                std::fill(row + seen, row + keys, 0.0F);
                if (seen == 0) continue;
                const float high = std::max(highest[q], cpu::maxOf(row, seen));
                if (high > highest[q] && total[q] != 0.0F) {
                    const float fade = std::exp(highest[q] - high);
                    total[q] *= fade;
                    cpu::scale(sums + q * d, d, fade);
                }
                highest[q] = high;
                total[q] += cpu::expShifted(row, seen, high);
            }
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(stacked),
                        static_cast<int>(d), static_cast<int>(keys), 1.0F, scores,
                        static_cast<int>(cpu::kKeyBlock), v, static_cast<int>(d), 1.0F, sums,
                        static_cast<int>(d));
        }
    }
    for (std::int64_t q = 0; q < stacked; ++q)
        if (total[q] != 0.0F) cpu::scale(sums + q * d, d, 1.0F / total[q]);
    for (std::int64_t r = 0; r < rows; ++r)
        std::memcpy(cpu::rowOf(p.out, firstRow + r) + group * heads * d, sums + r * heads * d,
                    bytes);
}

}  // namespace fkv
