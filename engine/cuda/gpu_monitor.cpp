// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/gpu_monitor.h"

#include <dlfcn.h>
#include <utility>

namespace fkv::cuda {

namespace {

// The part of NVML in use, as its reference manual declares it; stable across drivers.
constexpr int kSuccess = 0;
constexpr int kSmClock = 1, kMemoryClock = 2; ///< nvmlClockType_t
constexpr int kGpuSensor = 0;                 ///< nvmlTemperatureSensors_t

} // namespace

struct GpuMonitor::Library {
    void* handle = nullptr;
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    int (*deviceByPciBusId)(const char*, void**) = nullptr;
    int (*clock)(void*, int, unsigned*) = nullptr;
    int (*power)(void*, unsigned*) = nullptr; ///< milliwatts
    int (*temperature)(void*, int, unsigned*) = nullptr;
    int (*limits)(void*, unsigned long long*) = nullptr;
    bool initialised = false;

    Library() = default;
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    ~Library() {
        if (initialised) shutdown();
        if (handle != nullptr) ::dlclose(handle);
    }
    template <class Function>
    bool find(Function& function, const char* name) {
        function = reinterpret_cast<Function>(::dlsym(handle, name));
        return function != nullptr;
    }
    bool load(const char* name) {
        handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
        return handle != nullptr && find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
               find(deviceByPciBusId, "nvmlDeviceGetHandleByPciBusId_v2") &&
               find(clock, "nvmlDeviceGetClockInfo") && find(power, "nvmlDeviceGetPowerUsage") &&
               find(temperature, "nvmlDeviceGetTemperature") &&
               // The second is its name before driver 535.
               (find(limits, "nvmlDeviceGetCurrentClocksEventReasons") ||
                find(limits, "nvmlDeviceGetCurrentClocksThrottleReasons")) &&
               (initialised = init() == kSuccess);
    }
};

std::unique_ptr<GpuMonitor> GpuMonitor::open(const std::string& pciBusId, const char* library) {
    if (pciBusId.empty()) return nullptr;
    auto loaded = std::make_unique<Library>();
    void* device = nullptr;
    if (!loaded->load(library) || loaded->deviceByPciBusId(pciBusId.c_str(), &device) != kSuccess)
        return nullptr;
    return std::unique_ptr<GpuMonitor>(new GpuMonitor(std::move(loaded), device));
}

GpuMonitor::GpuMonitor(std::unique_ptr<Library> library, void* device)
    : m_library(std::move(library)), m_device(device) {}

GpuMonitor::~GpuMonitor() = default;

trace::GpuSample GpuMonitor::sample() const {
    const auto ask = [&](auto function, auto... which) {
        unsigned value = 0;
        return function(m_device, which..., &value) == kSuccess ? static_cast<float>(value) : 0.0F;
    };
    trace::GpuSample sample;
    sample.smMhz = ask(m_library->clock, kSmClock);
    sample.memoryMhz = ask(m_library->clock, kMemoryClock);
    sample.watts = ask(m_library->power) * 1e-3F;
    sample.celsius = ask(m_library->temperature, kGpuSensor);
    unsigned long long limits = 0;
    if (m_library->limits(m_device, &limits) != kSuccess) return sample;
    for (const trace::ClockLimit limit : trace::kClockLimits)
        sample.limits |= static_cast<std::uint32_t>(limit) & static_cast<std::uint32_t>(limits);
    return sample;
}

} // namespace fkv::cuda
