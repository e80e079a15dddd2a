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
                                std::int64_t budgetBytes);

/// Without checkpoints. Settings must be valid.
InstrumentMemory estimateMemory(const LoadedModel& model, std::int64_t tokens,
                                const trace::Settings& settings);

/// Of the device's memory, now: weights included, and planes where they share it.
std::int64_t heldOnDevice(const LoadedModel& model, const HeldState& held);

/// What is held now.
trace::Counters countMemory(const LoadedModel& model, const HeldState& held);

} // namespace fkv::run
