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

/// The lowest label that a row sees.
std::int64_t lowest(const ops::KvRange& range, std::int64_t row) {
    if (!range.firstRows.empty()) return range.firstRows[static_cast<std::size_t>(row)];
    return std::max<std::int64_t>(0, visible(range, row) - range.window);
}

/// What of a range the rows of a block see between them.
struct Sight {
    std::int64_t end = 0;         ///< of what any row sees
    std::int64_t seenByAll = 0;   ///< end of what every row sees
    std::int64_t lowest = 0;      ///< label that any row sees
    std::int64_t lowestOfAll = 0; ///< label from which on every row sees

    Sight(const ops::KvRange& range, std::int64_t firstRow, std::int64_t rows)
        : seenByAll(range.kv.length), lowest(fkv::lowest(range, firstRow)) {
        for (std::int64_t row = firstRow; row < firstRow + rows; ++row) {
            end = std::max(end, visible(range, row));
            seenByAll = std::min(seenByAll, visible(range, row));
            lowest = std::min(lowest, fkv::lowest(range, row));
            lowestOfAll = std::max(lowestOfAll, fkv::lowest(range, row));
        }
    }
};

}  // namespace

/// The query rows [firstRow, firstRow + rows) of one group of heads, stacked: query q is head
/// q % heads of row firstRow + q / heads.
struct CpuBackend::QueryBlock {
    std::int64_t group, firstRow, rows, heads;
    std::int64_t stacked() const { return rows * heads; }
    std::int64_t lanes() const { return cpu::padded(stacked()); }
    std::int64_t rowOf(std::int64_t query) const { return firstRow + query / heads; }
    std::int64_t columnOf(std::int64_t query, std::int64_t d) const {
        return (group * heads + query % heads) * d;
    }
    /// [d, lanes] with the lanes past the queries 0. Logits are then base-2: one multiplication a
    /// query instead of one a logit.
    void pack(const ops::AttentionParams& p, float* out) const {
        constexpr float kLog2E = 1.44269504088896341F;
        const std::int64_t d = p.queries.cols / p.queryHeads;
        const float factor = p.scale * kLog2E;
        for (std::int64_t q = 0; q < lanes(); ++q) {
            const float* query =
                q >= stacked() ? nullptr : cpu::rowOf(p.queries, rowOf(q)) + columnOf(q, d);
            for (std::int64_t c = 0; c < d; ++c)
                out[c * lanes() + q] = query == nullptr ? 0.0F : query[c] * factor;
        }
    }
    /// One number a lane from a function of the row; 0 in the lanes past the queries.
    template <class Number>
    void each(std::int32_t* out, const Number& number) const {
        for (std::int64_t q = 0; q < lanes(); ++q)
            out[q] = q >= stacked() ? 0 : static_cast<std::int32_t>(number(rowOf(q)));
    }
};

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
        attend(p, {piece % groups, first, std::min(blockRows, rows - first), heads},
               m_workers[static_cast<std::size_t>(worker)]);
    });
}

void CpuBackend::attend(const ops::AttentionParams& p, const QueryBlock& queries,
                        Worker& worker) const {
    const std::int64_t d = p.queries.cols / p.queryHeads;
    const std::int64_t lanes = queries.lanes();
    std::int32_t* seen = cpu::scratch(worker.seen, lanes);
    std::int32_t* lowestSeen = cpu::scratch(worker.lowest, lanes);
    cpu::AttendBlock block{};
    block.queries = cpu::scratch(worker.queries, lanes * d);
    block.headDim = d;
    block.lanes = lanes;
    block.scores = cpu::scratch(worker.scores, lanes * cpu::kKeyBlock);
    block.sums = cpu::scratch(worker.sums, lanes * d);
    block.highest = cpu::scratch(worker.highest, lanes);
    block.total = cpu::scratch(worker.total, lanes);
    queries.pack(p, worker.queries.data());
    std::fill_n(block.sums, lanes * d, 0.0F);
    std::fill_n(block.highest, lanes, cpu::kNothingSeen);
    std::fill_n(block.total, lanes, 0.0F);

    for (int i = 0; i < p.rangeCount; ++i) {
        const ops::KvRange& range = p.ranges[static_cast<std::size_t>(i)];
        if (range.kv.length == 0) continue;
        const Sight sight(range, queries.firstRow, queries.rows);
        const std::int32_t* labels = nullptr;
        if (range.positions.data != nullptr)
            labels = range.positions.as<std::int32_t>() +
                     std::min(queries.group, range.positions.rows - 1) * range.positions.stride;
        const std::int64_t base = queries.group * range.kv.capacity * d;
        // Blocks always begin at multiples, so that a row's bits do not depend on its neighbours.
        std::int64_t begin = labels == nullptr ? sight.lowest / cpu::kKeyBlock * cpu::kKeyBlock : 0;
        for (; begin < sight.end; begin += cpu::kKeyBlock) {
            block.count = std::min(cpu::kKeyBlock, sight.end - begin);
            block.keys = static_cast<const float*>(range.kv.keys) + base + begin * d;
            block.values = static_cast<const float*>(range.kv.values) + base + begin * d;
            block.seen = block.lowest = block.labels = nullptr;
            const bool slides = sight.lowestOfAll > (labels == nullptr ? begin : std::int64_t{0});
            if (slides || begin + block.count > sight.seenByAll) {
                block.seen = seen;
                queries.each(seen, [&](std::int64_t row) {
                    return std::clamp<std::int64_t>(visible(range, row) - begin, 0, block.count);
                });
            }
            if (slides) {
                block.lowest = lowestSeen;
                block.labels = labels == nullptr ? nullptr : labels + begin;
                queries.each(lowestSeen, [&](std::int64_t row) {
                    return labels == nullptr ? std::max<std::int64_t>(0, lowest(range, row) - begin)
                                             : lowest(range, row);
                });
            }
            m_kernels.attend(block);
        }
    }
    for (std::int64_t q = 0; q < queries.stacked(); ++q) {
        float* out = cpu::rowOf(p.out, queries.rowOf(q)) + queries.columnOf(q, d);
        const float share = block.total[q] == 0.0F ? 0.0F : 1.0F / block.total[q];
        for (std::int64_t c = 0; c < d; ++c) out[c] = block.sums[c * lanes + q] * share;
    }
}

}  // namespace fkv
