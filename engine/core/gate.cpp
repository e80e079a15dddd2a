// SPDX-License-Identifier: Apache-2.0
#include "engine/core/gate.h"

#include "engine/core/error.h"

namespace fkv {

void Gate::hold() {
    const std::lock_guard lock(m_mutex);
    m_held = true;
}

void Gate::release() {
    {
        const std::lock_guard lock(m_mutex);
        m_held = false;
    }
    m_changed.notify_all();
}

void Gate::pass(const std::stop_token& stop) {
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, stop, [this] { return !m_held; });
    }
    // Also when not held: a stop must not depend on whether a slider is being dragged.
    throwIfStopped(stop);
}

}  // namespace fkv
