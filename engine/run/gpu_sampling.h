// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/spans.h"
#include "engine/cuda/gpu_monitor.h"

#include <thread>
#include <vector>

namespace fkv::run {

/// Samples a GPU's state beside a stretch of work, on a thread of its own, so that the work does
/// not wait for the driver: when the stretch begins, ten times a second, and when a short one ends.
class GpuSampling {
public:
    /// Null: there is nothing to sample. The monitor outlives this.
    explicit GpuSampling(const cuda::GpuMonitor* monitor);
    GpuSampling(const GpuSampling&) = delete;
    GpuSampling& operator=(const GpuSampling&) = delete;

    /// Ends it. Times are from its beginning.
    std::vector<trace::GpuSample> take();

private:
    void sample(const cuda::GpuMonitor& monitor);

    HostClock m_clock;
    std::vector<trace::GpuSample> m_samples; ///< of the thread, until it has ended
    std::jthread m_thread;
};

} // namespace fkv::run
