// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/gpu_state.h"

#include <memory>
#include <string>

namespace fkv::cuda {

/// Asks the driver's management library (NVML) for clocks, power, temperature and limits of one
/// GPU. The library is loaded when it is there and never linked: a build needs no driver, nor
/// NVML's header, which many toolkits lack.
class GpuMonitor {
public:
    /// `pciBusId` as CUDA prints it, "0000:3b:00.0". Null without the library or when it does not
    /// know the device: then nothing is said about clocks. Never throws but for memory.
    static std::unique_ptr<GpuMonitor> open(const std::string& pciBusId,
                                            const char* library = "libnvidia-ml.so.1");
    ~GpuMonitor();
    GpuMonitor(const GpuMonitor&) = delete;
    GpuMonitor& operator=(const GpuMonitor&) = delete;

    /// The present state, without a time; what the driver refuses to say is 0. Takes up to some
    /// milliseconds; from any thread.
    trace::GpuSample sample() const;

private:
    struct Library;
    GpuMonitor(std::unique_ptr<Library> library, void* device);

    std::unique_ptr<Library> m_library;
    void* m_device; ///< NVML's handle
};

} // namespace fkv::cuda
