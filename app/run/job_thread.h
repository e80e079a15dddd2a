// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace fkv::app {

/// One thread that runs jobs one after the other. Only the newest waiting job is kept, and
/// submitting one asks the job that runs to stop: newest wins. A job gets the token by which it is
/// stopped and must not throw. Everything here may be called from any thread; the destructor stops
/// and joins.
class JobThread {
public:
    using Job = std::function<void(const std::stop_token&)>;

    JobThread();
    ~JobThread();
    JobThread(const JobThread&) = delete;
    JobThread& operator=(const JobThread&) = delete;

    void submit(Job job);
    /// Stops the running job and drops the waiting one.
    void cancel();
    /// A job runs or waits.
    bool busy() const;

private:
    void work(const std::stop_token& end);

    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::optional<Job> m_waiting;
    std::stop_source m_stop{std::nostopstate}; ///< of the running job; no state: none runs
    std::jthread m_thread;                     ///< last, so that it ends before what it uses
};

} // namespace fkv::app
