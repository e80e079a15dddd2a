// SPDX-License-Identifier: Apache-2.0
#include "engine/run/gpu_sampling.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace fkv::run {

GpuSampling::GpuSampling(const cuda::GpuMonitor* monitor) {
    if (monitor == nullptr) return;
    m_thread = std::jthread([this, monitor](const std::stop_token& stop) {
        constexpr std::chrono::milliseconds kEvery{100};
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        do {
            sample(*monitor);
            never.wait_for(lock, stop, kEvery, [] { return false; });
        } while (!stop.stop_requested());
        // Whoever ends a stretch waits for this one: only where it is short, and was idle at first.
        if (m_samples.size() < 2) sample(*monitor);
    });
}

void GpuSampling::sample(const cuda::GpuMonitor& monitor) {
    const std::int64_t ns = m_clock.mark();
    m_samples.push_back(monitor.sample());
    m_samples.back().ns = ns;
}

std::vector<trace::GpuSample> GpuSampling::take() {
    if (m_thread.joinable()) {
        m_thread.request_stop();
        m_thread.join();
    }
    return std::move(m_samples);
}

} // namespace fkv::run
