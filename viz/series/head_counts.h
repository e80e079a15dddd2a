// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "engine/trace/run.h"
#include "viz/series/position_axis.h"

#include <cstdint>
#include <optional>
#include <span>

namespace fkv::viz {

/// One KV head of one layer.
struct HeadPlace {
    int layer = -1;
    int head = -1;
    bool valid() const { return layer >= 0 && head >= 0; }
    bool operator==(const HeadPlace&) const = default;
};

/// True when the head's cache is every token that arrives, and ranks decide nothing.
inline bool keepsAllThatArrives(const trace::LayerFate& layer) {
    return layer.kept >= layer.entering;
}

/// The part of the survivors (ascending) that lies in `range`: indices [begin, end).
TokenRange survivorsIn(std::span<const std::int32_t> survivors, TokenRange range);

/// How many positions of `range` (window included, cut to the prompt) a head keeps: the sum of
/// Fate::keeps over them, without its look-up a token.
std::int64_t keptIn(const trace::Fate& fate, HeadPlace at, TokenRange range);

/// How many positions of `range` enter the layer.
std::int64_t arrivedIn(const trace::Fate& fate, int layer, TokenRange range);

/// Rank of a scored token by the scores that decide for the head; absent when it does not arrive.
std::optional<std::uint32_t> rankOf(const trace::Fate& fate, HeadPlace at, std::int64_t token);

/// The longest run of consecutive positions that the head does not hold: dropped here or never
/// arrived. The window ends the last one. Empty when nothing is missing.
TokenRange longestGap(const trace::Fate& fate, HeadPlace at);

/// Tokens tied at the head's cut: as the fate knows it, else counted from the saliency of the run;
/// absent where that is not there, or where the order itself is a preview.
std::optional<std::int64_t> tiedAtHead(const trace::Run& run, const trace::Fate& fate,
                                       HeadPlace at);

/// The planes whose ranks decide for a layer: the full pass', or the rerun's on the compacted axis.
const trace::LayerPlanes& decidingPlanes(const trace::Run& run, const trace::Fate& fate, int layer);

} // namespace fkv::viz
