// SPDX-License-Identifier: Apache-2.0
// Stands in for libnvidia-ml.so.1: one GPU on bus 0000:3b:00.0 whose state is what the test sets
// with fakeNvml(). Built as a library of its own, and loaded as NVML is.
#include "tests/support/fake_nvml.h"

#include <cstring>

namespace {
FakeNvml state;
int device; ///< its address is the handle
} // namespace

extern "C" {

FakeNvml* fakeNvml() {
    return &state;
}

int nvmlInit_v2() {
    ++state.opened;
    return state.broken ? 9 : 0;
}
int nvmlShutdown() {
    --state.opened;
    return 0;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus, void** handle) {
    if (std::strcmp(bus, "0000:3b:00.0") != 0) return 6; // not found
    *handle = &device;
    return 0;
}
int nvmlDeviceGetClockInfo(void* handle, int clock, unsigned* mhz) {
    if (handle != &device || (clock != 1 && clock != 2)) return 2; // invalid argument
    ++state.asked;
    *mhz = clock == 1 ? state.smMhz : state.memoryMhz;
    return 0;
}
int nvmlDeviceGetPowerUsage(void* handle, unsigned* milliwatts) {
    *milliwatts = state.milliwatts;
    if (state.milliwatts == 0) return 3; // not supported
    return handle == &device ? 0 : 2;
}
int nvmlDeviceGetTemperature(void* handle, int sensor, unsigned* celsius) {
    *celsius = state.celsius;
    return handle == &device && sensor == 0 ? 0 : 2;
}
#ifndef FKV_OLD_NVML
int nvmlDeviceGetCurrentClocksEventReasons(void* handle, unsigned long long* reasons) {
#else
int nvmlDeviceGetCurrentClocksThrottleReasons(void* handle, unsigned long long* reasons) {
#endif
    *reasons = state.reasons;
    return handle == &device ? 0 : 2;
}

} // extern "C"
