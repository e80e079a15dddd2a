// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/cells.h"

#include "viz/series/parallel.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace fkv::viz {
namespace {

std::size_t size(int n) {
    return static_cast<std::size_t>(n);
}

/// Calls visit(cell, first column, last column) for every cell that has columns of the row.
template <class T, class Visit>
void forEachCell(const TokenRow<T>& row, const PositionAxis& axis, Visit visit) {
    const auto columns = static_cast<std::int64_t>(row.values.size());
    if (row.positions.empty()) {
        for (int cell = 0; cell < axis.cells(); ++cell) {
            const TokenRange tokens = axis.tokensOf(cell);
            const std::int64_t end = std::min(tokens.end, columns);
            if (tokens.begin < end) visit(cell, tokens.begin, end);
        }
        return;
    }
    auto from = row.positions.begin();
    for (int cell = 0; cell < axis.cells(); ++cell) {
        const TokenRange tokens = axis.tokensOf(cell);
        if (cell == 0) from = std::lower_bound(from, row.positions.end(), tokens.begin);
        auto to = from;
        while (to != row.positions.end() && *to < tokens.end)
            ++to;
        const std::int64_t begin = from - row.positions.begin();
        const std::int64_t end = std::min<std::int64_t>(to - row.positions.begin(), columns);
        if (begin < end) visit(cell, begin, end);
        from = to;
    }
}

template <class T>
std::int32_t tokenAt(const TokenRow<T>& row, std::int64_t column) {
    return row.positions.empty() ? static_cast<std::int32_t>(column)
                                 : row.positions[static_cast<std::size_t>(column)];
}

void scanRow(const RankRow& row, const PositionAxis& axis, std::uint32_t topBelow, int r,
             BestCells& best, std::vector<RankedToken>& top) {
    forEachCell(row, axis, [&](int cell, std::int64_t begin, std::int64_t end) {
        const std::uint32_t* ranks = row.values.data();
        std::uint32_t least = kNoRank;
        for (std::int64_t i = begin; i < end; ++i)
            least = std::min(least, ranks[i]);
        std::int64_t at = begin;
        while (ranks[at] != least)
            ++at;
        const std::size_t i = best.at(r, cell);
        best.token[i] = tokenAt(row, at);
        best.rank[i] = least;
        if (least >= topBelow) return;
        for (std::int64_t j = begin; j < end; ++j)
            if (ranks[j] < topBelow) top.push_back({tokenAt(row, j), r, ranks[j]});
    });
}

} // namespace

CellScan scanCells(std::span<const RankRow> rows, const PositionAxis& axis,
                   std::uint32_t topBelow) {
    CellScan scan;
    scan.best.rows = static_cast<int>(rows.size());
    scan.best.cells = axis.cells();
    const std::size_t total = rows.size() * size(axis.cells());
    scan.best.token.assign(total, -1);
    scan.best.rank.assign(total, kNoRank);
    std::vector<std::vector<RankedToken>> tops(rows.size());
    onTwoThreads(rows.size(), [&](std::size_t r) {
        scanRow(rows[r], axis, topBelow, static_cast<int>(r), scan.best, tops[r]);
    });
    for (const auto& top : tops)
        scan.top.insert(scan.top.end(), top.begin(), top.end());
    return scan;
}

BestCells bestCells(std::span<const RankRow> rows, const PositionAxis& axis) {
    return scanCells(rows, axis, 0).best;
}

std::vector<std::uint32_t> bestOverRows(const BestCells& best) {
    std::vector<std::uint32_t> all(size(best.cells), kNoRank);
    for (int row = 0; row < best.rows; ++row)
        for (std::size_t cell = 0; cell < all.size(); ++cell)
            all[cell] = std::min(all[cell], best.rank[best.at(row, 0) + cell]);
    return all;
}

std::vector<std::int32_t> keptPerCell(const trace::PositionSet& kept, const PositionAxis& axis) {
    std::vector<std::int32_t> counts(size(axis.cells()));
    for (int cell = 0; cell < axis.cells(); ++cell) {
        const TokenRange tokens = axis.tokensOf(cell);
        counts[size(cell)] = static_cast<std::int32_t>(kept.count(tokens.begin, tokens.end));
    }
    return counts;
}

std::vector<RankedToken> lostPerCell(std::span<const RankedToken> top, int firstLate,
                                     const trace::PositionSet& passes, const PositionAxis& axis) {
    std::vector<RankedToken> lost(size(axis.cells()));
    if (lost.empty()) return lost;
    // A cell at the border counts whole, also where it reaches out of the visible range.
    const TokenRange covered{axis.tokensOf(0).begin, axis.tokensOf(axis.cells() - 1).end};
    for (const RankedToken& candidate : top) {
        if (candidate.row < firstLate || !covered.has(candidate.token)) continue;
        if (passes.has(candidate.token)) continue;
        RankedToken& worst = lost[static_cast<std::size_t>((candidate.token - covered.begin) /
                                                           axis.tokensPerCell())];
        if (candidate.rank < worst.rank) worst = candidate;
    }
    return lost;
}

std::vector<float> massPerCell(std::span<const MassRow> rows, std::span<const double> rowSums,
                               const PositionAxis& axis) {
    const std::size_t cells = size(axis.cells());
    std::vector<float> ratios(rows.size() * cells, std::numeric_limits<float>::quiet_NaN());
    onTwoThreads(rows.size(), [&](std::size_t r) {
        const MassRow& row = rows[r];
        const double uniform = rowSums[r] / static_cast<double>(row.values.size());
        if (!(uniform > 0.0)) return;
        forEachCell(row, axis, [&](int cell, std::int64_t begin, std::int64_t end) {
            double sum = 0.0;
            for (std::int64_t i = begin; i < end; ++i)
                sum += row.values[static_cast<std::size_t>(i)];
            ratios[r * cells + size(cell)] =
                static_cast<float>(sum / (uniform * static_cast<double>(end - begin)));
        });
    });
    return ratios;
}

std::vector<double> sumOfRows(std::span<const MassRow> rows) {
    std::vector<double> sums(rows.size());
    onTwoThreads(rows.size(), [&](std::size_t r) {
        double sum = 0.0;
        for (const float mass : rows[r].values)
            sum += mass;
        sums[r] = sum;
    });
    return sums;
}

std::vector<std::uint32_t> headRanks(const trace::Fate& fate, int layer,
                                     std::span<const std::int32_t> tokens) {
    const trace::LayerFate& lf = fate.layers[size(layer)];
    const std::size_t heads = lf.cut.size();
    std::vector<std::uint32_t> ranks(tokens.size() * heads, kNoRank);
    if (!lf.ranks) return ranks;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i] < 0) continue;
        const std::int64_t column =
            lf.compacted ? fate.compactedIndex[static_cast<std::size_t>(tokens[i])] : tokens[i];
        if (column < 0 || column >= static_cast<std::int64_t>(lf.ranks->cols())) continue;
        for (std::size_t g = 0; g < heads; ++g)
            ranks[i * heads + g] = lf.ranks->row(g)[static_cast<std::size_t>(column)];
    }
    return ranks;
}

int keptHeads(const trace::LayerFate& layer, std::span<const std::uint32_t> ranks) {
    if (layer.kept >= layer.entering) return static_cast<int>(ranks.size());
    int kept = 0;
    for (std::size_t g = 0; g < ranks.size(); ++g)
        kept += ranks[g] < layer.cut[g] ? 1 : 0;
    return kept;
}

} // namespace fkv::viz
