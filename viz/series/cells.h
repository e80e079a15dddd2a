// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "viz/series/position_axis.h"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace fkv::viz {

// Planes over tokens folded into the cells of a position axis. Pure functions; rows are spread over
// two threads, and the result does not depend on that. No cells (nothing visible) give empty
// results.

/// Values along one row of a picture: column j is token `positions[j]` (ascending), or token j when
/// `positions` is empty. Looks into memory of somebody else.
template <class T>
struct TokenRow {
    std::span<const T> values;
    std::span<const std::int32_t> positions;
};
using RankRow = TokenRow<std::uint32_t>;
using MassRow = TokenRow<float>;

inline constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

/// The best-ranked token of every cell (VIEWS section 1), [rows, cells].
struct BestCells {
    int rows = 0;
    int cells = 0;
    std::vector<std::int32_t> token; ///< -1 where no token of the cell is in the row
    std::vector<std::uint32_t> rank; ///< kNoRank there
    std::size_t at(int row, int cell) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(cells) +
               static_cast<std::size_t>(cell);
    }
};
BestCells bestCells(std::span<const RankRow> rows, const PositionAxis& axis);

struct RankedToken {
    std::int32_t token = -1;
    std::int32_t row = -1; ///< a layer
    std::uint32_t rank = kNoRank;
    bool operator==(const RankedToken&) const = default;
};
/// bestCells() and, from the same pass, all visible tokens whose rank in a row is below `topBelow`,
/// by row and then by position.
struct CellScan {
    BestCells best;
    std::vector<RankedToken> top;
};
CellScan scanCells(std::span<const RankRow> rows, const PositionAxis& axis, std::uint32_t topBelow);

/// The best of all rows, [cells]: what an overview shows.
std::vector<std::uint32_t> bestOverRows(const BestCells& best);

/// Tokens of the set per cell, [cells]: 0 to axis.tokensOf(cell).size().
std::vector<std::int32_t> keptPerCell(const trace::PositionSet& kept, const PositionAxis& axis);

/// Per cell the best-ranked token that TSP drops although a later layer ranks it so; token -1 where
/// there is none. `top` as from scanCells(), rows being layers of the full pass; layers from
/// `firstLate` on count.
std::vector<RankedToken> lostPerCell(std::span<const RankedToken> top, int firstLate,
                                     const trace::PositionSet& passes, const PositionAxis& axis);

/// Attention mass of a row against uniform attention, [rows, cells]: (sum over the cell / sum over
/// the row) / (tokens of the cell in the row / tokens of the row). NaN where the row has no token,
/// or no mass at all.
std::vector<float> massPerCell(std::span<const MassRow> rows, std::span<const double> rowSums,
                               const PositionAxis& axis);
/// Sum of every row, in double.
std::vector<double> sumOfRows(std::span<const MassRow> rows);

/// The rank that each KV head of a layer gives to each token, [tokens, heads], in the plane that
/// decides there (fate.layers[layer].ranks); kNoRank where the plane does not know the token. It
/// depends on that plane alone, so a slider need not look again. Tokens are scored ones, or -1.
std::vector<std::uint32_t> headRanks(const trace::Fate& fate, int layer,
                                     std::span<const std::int32_t> tokens);
/// How many heads keep a token that arrives, given its row of headRanks().
int keptHeads(const trace::LayerFate& layer, std::span<const std::uint32_t> ranks);

} // namespace fkv::viz
