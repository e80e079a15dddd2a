// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fkv::run {

/// Bytes that checkpoints may take.
struct CheckpointBudget {
    std::int64_t deviceBytes = 0;
    std::int64_t hostBytes = 0; ///< beside a GPU: pinned memory of its host
};
CheckpointBudget smaller(const CheckpointBudget& a, const CheckpointBudget& b);

struct CheckpointCosts {
    int layers;              ///< L
    std::int64_t tokens;     ///< of the prompt
    std::int64_t rows;       ///< that a whole checkpoint has room for
    std::int64_t rankedRows; ///< that one of the best tokens has room for
    std::int64_t rowBytes;   ///< hidden state of a token
    CheckpointBudget budget;
};

/// What is held of a layer, from the most to the least convenient.
enum class CheckpointKind : std::uint8_t {
    Whole,       ///< hidden states of all tokens
    Ranked,      ///< of those that a TSP layer there would let pass at rates up to kRankedRate
    RankedOnHost ///< the same in pinned memory of the host, which the device reads over the bus
};
inline constexpr double kRankedRate = 0.3;

struct CheckpointPlan {
    CheckpointKind kind = CheckpointKind::Whole;
    std::vector<std::int32_t> layers; ///< whose output is held, ascending
    bool operator==(const CheckpointPlan&) const = default;
};

/// Every layer that a later one reads, whole; else the best tokens of each, on the device or in
/// memory of its host; else of every 2nd, 4th, ... layer, counted so that the default TSP layer
/// L/2 - 1 stays longest. No layers when not even that fits: a rerun then starts from the
/// embeddings.
CheckpointPlan checkpointPlan(const CheckpointCosts& costs);

std::int64_t deviceBytes(const CheckpointPlan& plan, const CheckpointCosts& costs);
std::int64_t hostBytes(const CheckpointPlan& plan, const CheckpointCosts& costs);

/// "every 2nd".
std::string everyText(int step);

/// "the best tokens of every 2nd checkpoint, in host memory": what is held then, in words.
std::string heldText(const CheckpointPlan& plan);

/// What of all checkpoints was given up, in words; empty for nothing.
std::string givenUpText(const CheckpointPlan& plan, const CheckpointCosts& costs);

} // namespace fkv::run
