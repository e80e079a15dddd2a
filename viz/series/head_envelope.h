// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/cells.h"
#include "viz/series/head_counts.h"

#include <cstdint>
#include <vector>

namespace fkv::viz {

/// One head over the visible positions, by the scores that decide for it: those of the full pass,
/// and after the rerun of a late layer those of the FastKV pass. So what lies above its cut is what
/// it keeps. Made once per plane, TSP set and axis; a KV slider moves the cut alone.
struct HeadEnvelope {
    HeadPlace at;
    std::int64_t ranked = 0; ///< tokens that the ranks are among: M, or the scored survivors
    bool fromRerun = false;  ///< ranks are those of the FastKV pass
    BestCells best;          ///< one row; token -1 in cells of which no token arrived
};
HeadEnvelope makeEnvelope(const trace::Fate& fate, HeadPlace at, const PositionAxis& axis);

/// What changes with the cut, a value a cell.
struct EnvelopeFate {
    std::vector<std::uint8_t> bestKept;
    std::vector<std::int32_t> kept; ///< tokens
    std::vector<std::int32_t> arrived;
};
EnvelopeFate fateOfEnvelope(const trace::Fate& fate, const HeadEnvelope& envelope,
                            const PositionAxis& axis);

/// Importance at which the head cuts: between its last kept rank and the first dropped one.
/// Negative when it keeps all that arrives.
float cutImportance(const trace::Fate& fate, const HeadEnvelope& envelope);

/// The best-ranked scored token of `range` that arrives, by the ranks that decide; -1 if none does.
std::int64_t bestTokenIn(const trace::Fate& fate, HeadPlace at, TokenRange range);

} // namespace fkv::viz
