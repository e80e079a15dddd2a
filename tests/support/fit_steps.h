// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/session.h"

#include <cstdint>

namespace fkv::testing {

/// What a request on ids would give up within so much of the device's memory; 0: all of it.
inline run::FitReport fitIn(run::Session& session, run::Request request, std::int64_t limitBytes) {
    request.memory.limitBytes = limitBytes;
    return session.fit(static_cast<std::int64_t>(request.prompt.ids->size()), request);
}

/// Of the device's memory, without checkpoints: below it a step is not enough.
inline std::int64_t bareBytes(const run::FitReport& r) {
    return r.neededBytes() - r.instrument.checkpointBytes;
}

} // namespace fkv::testing
