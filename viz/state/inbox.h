// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>
#include <deque>
#include <functional>
#include <mutex>

namespace fkv::viz {

/// Calls from other threads that run in the thread it lives in, one an event, in their order, as
/// long as it lives. What a call carries changes hands under a mutex of ours: those inside of Qt,
/// which is built without it, are unknown to the thread sanitizer.
class Inbox : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    /// From any thread, which must not outlive it.
    void post(std::function<void()> call);

private:
    Q_INVOKABLE void deliver();

    std::mutex m_mutex;
    std::deque<std::function<void()>> m_calls;
};

} // namespace fkv::viz
