// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fkv::run {

struct CheckpointCosts {
    int layers;                 ///< L
    std::int64_t bytesPerLayer; ///< hidden states of all tokens
    std::int64_t budgetBytes;
};

/// Layers whose output is held for reruns, ascending: every one that a later layer reads, else
/// every 2nd, 4th, ... as the budget allows, counted so that the default TSP layer L/2 - 1 stays
/// longest. Empty when not even that fits: a rerun then starts from the embeddings.
std::vector<std::int32_t> checkpointPlan(const CheckpointCosts& costs);

/// "every 2nd".
std::string everyText(int step);

/// What of all checkpoints was given up, in words; empty for nothing.
std::string givenUpText(const std::vector<std::int32_t>& plan, const CheckpointCosts& costs);

} // namespace fkv::run
