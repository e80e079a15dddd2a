// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/fate.h"
#include "engine/trace/run.h"

#include <cstdint>

namespace fkv::testing {

/// A run that looks like one of a real model: sinks at the start, agreement at the end, a needle of
/// kNeedleTokens tokens that rises in the middle layers, plateaus of ties as max pooling makes them.
/// The same spec gives the same bits.
struct SyntheticSpec {
    std::int64_t tokens = 1000;
    int layers = 16;
    int queryHeads = 16;
    int kvHeads = 4;
    trace::Settings settings{.tspLayer = 7};
    bool rerun = true;       ///< with the FastKV pass of `settings`
    bool answers = true;     ///< with both answers and fidelity
    bool saliency = true;    ///< with saliency planes, else ranks alone
    bool halfSums = false;   ///< window sums as a trace file holds them
    bool tables = true;      ///< with the stabilization tables
};

inline constexpr std::int64_t kNeedleTokens = 9;
/// First token of the needle: at 40 % of the prompt.
inline std::int64_t needleBegin(const SyntheticSpec& spec) { return spec.tokens * 2 / 5; }

trace::RunPtr makeRun(const SyntheticSpec& spec);
/// The same as if the memory had had no room for the instrument: on a rung of the deployed path.
trace::RunPtr makeDeployedRun(const SyntheticSpec& spec, trace::Rung rung);
/// The fate of makeRun(spec) under its own settings.
trace::FatePtr makeFate(const trace::RunPtr& run);

}  // namespace fkv::testing
