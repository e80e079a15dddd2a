// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/analysis.h"

namespace fkv::run {

struct MeasureRequest {
    trace::RunPtr analysed; ///< of this request
    const Request& request; ///< kernels are traced in a run of its own, that is not timed
    int repeats;            ///< >= 1
};
/// The deployed path of full context and of the run's settings, in turn after one warm-up of both,
/// so that a machine that grows warm or busy does so for both. Where memory has no room for both
/// beside what is held, the instrument's goes and one side runs after the other; a run without
/// full context has one side. Publishes and returns the run with them.
trace::RunPtr measureStandalone(SessionState& state, const MeasureRequest& request,
                                Observer& observer, const std::stop_token& stop);

} // namespace fkv::run
