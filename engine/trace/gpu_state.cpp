// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/gpu_state.h"

#include <algorithm>
#include <vector>

namespace fkv::trace {

namespace {

float upperMedian(std::span<const GpuSample> samples, float GpuSample::*member) {
    std::vector<float> values;
    for (const GpuSample& s : samples)
        values.push_back(s.*member);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

} // namespace

std::string_view name(ClockLimit limit) {
    switch (limit) {
    case ClockLimit::ApplicationClocks:
        return "clocks set";
    case ClockLimit::PowerCap:
        return "power cap";
    case ClockLimit::HardwareSlowdown:
        return "hardware slowdown";
    case ClockLimit::SyncBoost:
        return "sync boost";
    case ClockLimit::Thermal:
        return "thermal limit";
    case ClockLimit::HardwareThermal:
        return "hardware thermal limit";
    case ClockLimit::PowerBrake:
        return "power brake";
    case ClockLimit::DisplayClocks:
        return "display clocks";
    }
    return "";
}

std::optional<GpuSummary> summarize(std::span<const GpuSample> samples) {
    if (samples.empty()) return std::nullopt;
    GpuSummary summary;
    summary.samples = samples.size();
    summary.smMhz = upperMedian(samples, &GpuSample::smMhz);
    summary.memoryMhz = upperMedian(samples, &GpuSample::memoryMhz);
    for (const GpuSample& s : samples) {
        summary.mostWatts = std::max(summary.mostWatts, s.watts);
        summary.mostCelsius = std::max(summary.mostCelsius, s.celsius);
        for (std::size_t i = 0; i < kClockLimits.size(); ++i)
            if ((s.limits & static_cast<std::uint32_t>(kClockLimits[i])) != 0)
                summary.limited[i] += 1.0 / static_cast<double>(samples.size());
    }
    return summary;
}

} // namespace fkv::trace
