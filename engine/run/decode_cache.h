// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <cstdint>
#include <vector>

namespace fkv::run {

/// Cuts the caches to `budgets`: the best tokens of every KV head in rank order. What is held and
/// long enough serves a smaller budget as its prefix. Returns true when anything was gathered.
bool gatherCaches(const RunContext& context, const trace::Budgets& budgets, HeldState& held);

/// Of a late layer whose keys and values are about to go: what `budgets` keep, and its window.
struct PassingLayer {
    int layer;
    const ops::KvView& kv;
    ops::View ranks; ///< [G, M] U32 in backend memory
    const trace::Budgets& budgets;
};
void keepBest(const RunContext& context, const PassingLayer& passing, HeldState& held);

/// Lets late keys and values go of which gatherCaches() took the best.
void letLateKvGo(const RunContext& context, const trace::Budgets& budgets, HeldState& held);

/// Is all there that gatherCaches() reads?
bool canGather(const trace::Budgets& budgets, const HeldState& held);

/// Layers to decode from, over full context or what `budgets` keep (after gatherCaches). Whole
/// caches are read in place, so that rates of 1 read the very bytes that full context reads. There
/// is room for `room` + 1 new tokens; the tails belong to one sequence at a time.
std::vector<ops::DecodeLayer> fullLayers(const RunContext& context, HeldState& held,
                                         std::int64_t room);
std::vector<ops::DecodeLayer> compressedLayers(const RunContext& context,
                                               const trace::Budgets& budgets, HeldState& held,
                                               std::int64_t room);

} // namespace fkv::run
