// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

namespace fkv::run {

/// What of the held state belongs to the run that is timed.
struct TimedParts {
    const trace::Budgets& budgets;
    bool rerun, caches, fullAnswer, answer;
};

/// Milliseconds of all ops: spans that enclose others, and waiting between ops, are left out.
double opMilliseconds(const std::vector<trace::Span>& spans);

/// Where the last of them ends.
std::int64_t endOf(const std::vector<trace::Span>& spans);

/// Both sides of a run on the deployed path, each as far as it has come. Prefill is what ran.
struct DeployedSides {
    const HeldSide* full;
    const HeldSide* fastkv = nullptr;
};
trace::Timing deployedTiming(const DeployedSides& sides, double loadMs);

/// Stretches end to end on one clock, and the totals that need more than adding spans. Full prefill
/// is the sum of what full context needs; the composed FastKV prefill is layers 0..t of the full
/// pass with selection, the rerun, and the caches' gathering. Instrument zones are in neither.
trace::Timing composeTiming(const HeldState& held, const TimedParts& parts, double loadMs);

} // namespace fkv::run
