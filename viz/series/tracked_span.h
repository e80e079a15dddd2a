// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/run.h"
#include "viz/series/position_axis.h"

#include <cstdint>
#include <vector>

namespace fkv::viz {

/// Ranks of a run of tokens in one layer of the full pass, 0 = best. The median is the lower one,
/// so that it is the rank of a token.
struct TrackedLayer {
    std::uint32_t best = 0;
    std::uint32_t median = 0;
    std::uint32_t worst = 0;
    bool operator==(const TrackedLayer&) const = default;
};

/// A run of tokens followed through all layers: what the view Tracked draws.
struct TrackedSpan {
    TokenRange tokens;
    std::int64_t scored = 0;          ///< of them; the others are in the window and always pass
    std::vector<TrackedLayer> layers; ///< [L], empty when no token is scored
};
TrackedSpan trackSpan(const trace::FullPass& full, TokenRange tokens);

/// Of the span's scored tokens, how many would pass if TSP cut at each layer, [L]. `cut` is the
/// number of scored tokens that pass, T - w; a cut of M or more passes all.
std::vector<std::int64_t> passingTokens(const trace::FullPass& full, const TrackedSpan& span,
                                        std::int64_t cut);

/// T - w: what TSP takes by rank; the window comes on top. M when TSP is off.
std::int64_t tspCut(const trace::Budgets& budgets);

/// A rank as a share of the M scored tokens: "top 1 %" is 0.01. Rank 0 of 1000 gives 0.001.
double topShare(std::uint32_t rank, std::int64_t scored);

} // namespace fkv::viz
