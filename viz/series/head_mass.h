// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "engine/trace/run.h"
#include "viz/series/head_counts.h"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace fkv::viz {

// Mass kept: the share of a head's unpooled window mass (window columns excluded) that lies on
// tokens which it keeps, of the mass on tokens which arrive at its layer. Up to layer t every token
// arrives.
//
// While sliders move it comes from tables by K: interpolated between 64 of them, less than 0.01
// off. The full pass brings its own table; a rerun's layers get one here. Before the rerun a late
// head keeps the best C - w of the *survivors*, not of all tokens: how many of them each level of
// ranks has (LayerFate::arrivedOn) tells how much of the level's mass arrives. Exact values, for one
// head at a time, come from the window sums.

/// The table of the rerun's layers, over their own (compacted) ranks: `layers` counts pass.late.
/// Empty when the pass has no ranks or window sums, or when stopped. 10 ms at 26,214 tokens x 16
/// x 8.
trace::HeadMassTable rerunMassTable(const trace::FastKvPass& pass,
                                    const std::stop_token& stop = {});

/// Mass kept by every head, [L, G]; NaN where it is not known (yet). Either table may be empty.
struct MassSources {
    const trace::HeadMassTable& full;
    const trace::HeadMassTable& rerun;
};
std::vector<float> keptMass(const trace::Fate& fate, const MassSources& sources);

/// The same for one head from its window sums, not interpolated; NaN when the run has none. Reads
/// every rank and window sum of the head: 0.2 ms at 131,072 tokens with one query head.
double exactKeptMass(const trace::Run& run, const trace::Fate& fate, HeadPlace at);

/// The head that keeps least; invalid when nothing is known or nothing lost.
HeadPlace worstHead(const std::vector<float>& mass, int heads);

} // namespace fkv::viz
