// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <functional>
#include <span>

namespace fkv::run {

struct FullPassRequest {
    std::span<const std::int32_t> ids; ///< [N]
    model::Scoring scoring;
    CheckpointBudget checkpointBudget;
    ops::Place kvPlace;
    std::function<void(int layer)> progress; ///< before each layer
};

/// Are all checkpoints there that the budget allows for this prompt?
bool holdsCheckpoints(const RunContext& context, const CheckpointBudget& budget,
                      const HeldFull& held);
/// Lets go of those beyond the budget.
void dropCheckpoints(const RunContext& context, const CheckpointBudget& budget, HeldFull& held);

/// First row that must be run for `ids` when `held` stays: rows before it are the same in every
/// layer. A multiple of the chunk, so that rows are computed in the same chunks as in a fresh pass.
std::int64_t restartRow(const RunContext& context, const HeldFull& held,
                        std::span<const std::int32_t> ids);

/// Full-context prefill with capture of every layer, from the first changed token on. When it is
/// stopped or throws, `held` is not complete but sound: its ids tell which rows can be used again.
/// Returns the rows run, of every layer.
std::int64_t runFullPass(const RunContext& context, const FullPassRequest& request,
                         HeldState& held);

/// Scores the held keys under another window. The bits are those of a pass with that scoring;
/// logits are shared.
void scoreAnew(const RunContext& context, const model::Scoring& scoring, HeldState& held);

} // namespace fkv::run
