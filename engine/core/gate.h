// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace fkv {

/// Lets the window hold the engine at its next op while a slider is being dragged: two cores are too
/// few for both. The engine calls pass() between ops; hold() and release() may come from any thread.
class Gate {
public:
    void hold();
    void release();
    /// Returns at once when not held, else waits for release; throws Error{Cancelled} on stop.
    void pass(const std::stop_token& stop);

private:
    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    bool m_held = false;
};

}  // namespace fkv
