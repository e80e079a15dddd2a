// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/inbox.h"

#include <utility>

namespace fkv::viz {

void Inbox::post(std::function<void()> call) {
    {
        const std::scoped_lock lock(m_mutex);
        m_calls.push_back(std::move(call));
    }
    // By name: such an event is made inside of Qt and carries nothing.
    QMetaObject::invokeMethod(this, "deliver", Qt::QueuedConnection);
}

void Inbox::deliver() {
    std::function<void()> call;
    {
        const std::scoped_lock lock(m_mutex);
        call = std::move(m_calls.front());
        m_calls.pop_front();
    }
    call();
}

} // namespace fkv::viz
