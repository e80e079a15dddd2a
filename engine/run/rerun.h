// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace fkv::run {

/// The TSP set of `budgets`: best T - w of the TSP layer's ranks, and the window; ascending. Empty
/// when TSP is off.
std::vector<std::int32_t> tspSurvivors(const trace::FullPass& full, const trace::Budgets& budgets);

/// Layers that a rerun has to go through: those after t, and from the nearest earlier checkpoint to
/// t.
int rerunLayers(const HeldFull& full, const trace::Budgets& budgets, int layers);

/// FastKV from the checkpoint at t on (SPEC section 3), or from earlier ones (restoreRows()). When
/// it is stopped or throws, held.rerun is not complete. Returns rows x layers.
struct RerunRequest {
    const trace::Budgets& budgets;
    /// False: of a late layer that is cut only what the budgets keep stays, in held.compressed.
    bool keepKv;
    std::function<void(int layer)> progress; ///< before each layer
};
std::int64_t runRerun(const RunContext& context, const RerunRequest& request, HeldState& held);

} // namespace fkv::run
