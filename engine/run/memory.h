// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/checkpoint_plan.h"
#include "engine/run/fit.h"
#include "engine/run/held_state.h"

namespace fkv::run {

/// Tokens that the caches and checkpoints of a prompt have room for: whole chunks, so that typing
/// does not move them every time.
std::int64_t heldCapacity(const LoadedModel& model, std::int64_t tokens);

CheckpointCosts checkpointCosts(const LoadedModel& model, std::int64_t tokens,
                                const CheckpointBudget& budget);

/// Without checkpoints. Settings must be valid.
InstrumentMemory estimateMemory(const LoadedModel& model, std::int64_t tokens,
                                const trace::Settings& settings, const KvHolding& kv);

/// What was given up to hold the instrument, in words; empty for nothing.
std::string givenUpText(const KvHolding& kv, const CheckpointPlan& checkpoints,
                        const CheckpointCosts& costs);

/// Now: weights included, and planes where they share the device's memory.
Room heldBy(const LoadedModel& model, const HeldState& held);

/// What is held now.
trace::Counters countMemory(const LoadedModel& model, const HeldState& held);

} // namespace fkv::run
