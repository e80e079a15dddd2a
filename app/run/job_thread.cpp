// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/job_thread.h"

#include <utility>

namespace fkv::app {

JobThread::JobThread() : m_thread([this](const std::stop_token& end) { work(end); }) {}

JobThread::~JobThread() {
    m_thread.request_stop();
    cancel();
    m_thread.join();
}

void JobThread::submit(Job job) {
    {
        const std::lock_guard lock(m_mutex);
        m_waiting = std::move(job);
        m_stop.request_stop();
    }
    m_changed.notify_one();
}

void JobThread::cancel() {
    const std::lock_guard lock(m_mutex);
    m_waiting.reset();
    m_stop.request_stop();
}

bool JobThread::busy() const {
    const std::lock_guard lock(m_mutex);
    return m_waiting.has_value() || m_stop.stop_possible();
}

void JobThread::work(const std::stop_token& end) {
    std::unique_lock lock(m_mutex);
    while (m_changed.wait(lock, end, [this] { return m_waiting.has_value(); })) {
        Job job = std::move(*m_waiting);
        m_waiting.reset();
        m_stop = std::stop_source();
        const std::stop_token stop = m_stop.get_token();
        lock.unlock();
        job(stop);
        job = nullptr; // what it holds is freed before the thread counts as idle
        lock.lock();
        m_stop = std::stop_source(std::nostopstate);
    }
}

} // namespace fkv::app
