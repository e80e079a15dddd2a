// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"

#include <string>

namespace fkv::run {

/// What the engine is doing now.
struct Progress {
    std::string stage;     ///< "Loading weights", "Prefill, layer 7 of 16", "Rerun", "Decoding"
    double fraction = 0.0; ///< of this request, in [0, 1]
};

/// Called on the engine's thread, between ops; must return at once and not throw.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void progress(const Progress&) {}
    /// A Run that is further along than the last one of this request (VIEWS, states of values):
    /// after the full pass, after the rerun, while answers stream (a few times a second), and at
    /// the end; after a stop, with as much of an answer as there is.
    virtual void published(const trace::RunPtr&) {}
};

} // namespace fkv::run
