// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/checkpoint_plan.h"
#include "engine/run/held_state.h"
#include "engine/run/session.h"

namespace fkv::run {

/// Tokens that the caches and checkpoints of a prompt have room for: whole chunks, so that typing
/// does not move them every time.
std::int64_t heldCapacity(const LoadedModel& model, std::int64_t tokens);

CheckpointCosts checkpointCosts(const LoadedModel& model, std::int64_t tokens,
                                std::int64_t budgetBytes);

/// See Session::estimate. Settings must be valid.
MemoryEstimate estimateMemory(const LoadedModel& model, std::int64_t tokens,
                              const Request& request);

/// What is held now.
trace::Counters countMemory(const LoadedModel& model, const HeldState& held,
                            std::int64_t checkpointBudgetBytes);

} // namespace fkv::run
