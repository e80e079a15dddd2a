// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/pieces.h"
#include "engine/ops/validate.h"

#include <algorithm>

namespace fkv {
namespace {

std::int64_t visible(const ops::KvRange& range, std::int64_t row) {
    if (!range.visibleRows.empty()) return range.visibleRows[static_cast<std::size_t>(row)];
    return std::clamp<std::int64_t>(range.causalOffset + row + 1, 0, range.kv.length);
}

/// The query rows [firstRow, firstRow + rows) of one group of heads.
struct QueryBlock {
    std::int64_t group, firstRow, rows, heads;
};

/// [d, lanes] with the lanes past the queries 0. Logits are then base-2: one multiplication a query
/// instead of one a logit.
void packQueries(const ops::AttentionParams& p, const QueryBlock& block, float* out) {
    constexpr float kLog2E = 1.44269504088896341F;
    const std::int64_t d = p.queries.cols / p.queryHeads;
    const std::int64_t stacked = block.rows * block.heads;
    const std::int64_t lanes = cpu::padded(stacked);
    const float factor = p.scale * kLog2E;
    for (std::int64_t q = 0; q < lanes; ++q) {
        const float* query = q >= stacked ? nullptr
            : cpu::rowOf(p.queries, block.firstRow + q / block.heads) +
                  (block.group * block.heads + q % block.heads) * d;
        for (std::int64_t c = 0; c < d; ++c)
            out[c * lanes + q] = query == nullptr ? 0.0F : query[c] * factor;
    }
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
    const std::int64_t lanes = cpu::padded(stacked);
    std::int32_t* seen = cpu::scratch(worker.seen, lanes);
    cpu::AttendBlock block{};
    block.queries = cpu::scratch(worker.queries, lanes * d);
    block.headDim = d;
    block.lanes = lanes;
    block.scores = cpu::scratch(worker.scores, lanes * cpu::kKeyBlock);
    block.sums = cpu::scratch(worker.sums, lanes * d);
    block.highest = cpu::scratch(worker.highest, lanes);
    block.total = cpu::scratch(worker.total, lanes);
    packQueries(p, {group, firstRow, rows, heads}, worker.queries.data());
    std::fill_n(block.sums, lanes * d, 0.0F);
    std::fill_n(block.highest, lanes, cpu::kNothingSeen);
    std::fill_n(block.total, lanes, 0.0F);

    for (int i = 0; i < p.rangeCount; ++i) {
        const ops::KvRange& range = p.ranges[static_cast<std::size_t>(i)];
        std::int64_t end = 0;
        std::int64_t seenByAll = range.kv.length;
        for (std::int64_t r = 0; r < rows; ++r) {
            end = std::max(end, visible(range, firstRow + r));
            seenByAll = std::min(seenByAll, visible(range, firstRow + r));
        }
        const std::int64_t base = group * range.kv.capacity * d;
        for (std::int64_t begin = 0; begin < end; begin += cpu::kKeyBlock) {
            block.count = std::min(cpu::kKeyBlock, end - begin);
            block.keys = static_cast<const float*>(range.kv.keys) + base + begin * d;
            block.values = static_cast<const float*>(range.kv.values) + base + begin * d;
            block.seen = nullptr;
            if (begin + block.count > seenByAll) {
                block.seen = seen;
                for (std::int64_t q = 0; q < lanes; ++q)
                    seen[q] = q >= stacked ? 0 : static_cast<std::int32_t>(std::clamp<std::int64_t>(
                        visible(range, firstRow + q / heads) - begin, 0, block.count));
            }
            m_kernels.attend(block);
        }
    }
    for (std::int64_t q = 0; q < stacked; ++q) {
        float* out = cpu::rowOf(p.out, firstRow + q / heads) + (group * heads + q % heads) * d;
        const float share = block.total[q] == 0.0F ? 0.0F : 1.0F / block.total[q];
        for (std::int64_t c = 0; c < d; ++c) out[c] = block.sums[c * lanes + q] * share;
    }
}

}  // namespace fkv
