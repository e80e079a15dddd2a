// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace fkv::trace {

/// What keeps a GPU below its highest clock. Bits as NVML defines them ("clocks event reasons"), so
/// that what is recorded keeps its meaning.
enum class ClockLimit : std::uint32_t {
    ApplicationClocks = 0x2, ///< somebody set a clock
    PowerCap = 0x4,
    HardwareSlowdown = 0x8, ///< with the reason beside it
    SyncBoost = 0x10,
    Thermal = 0x20,
    HardwareThermal = 0x40,
    PowerBrake = 0x80, ///< the power supply asked for it
    DisplayClocks = 0x100,
};
inline constexpr std::array kClockLimits{
    ClockLimit::PowerCap,   ClockLimit::Thermal,          ClockLimit::HardwareThermal,
    ClockLimit::PowerBrake, ClockLimit::HardwareSlowdown, ClockLimit::ApplicationClocks,
    ClockLimit::SyncBoost,  ClockLimit::DisplayClocks};
std::string_view name(ClockLimit limit); ///< "power cap", ...

/// What the driver said about the GPU at one time of the run's clock. 0: it did not say.
struct GpuSample {
    std::int64_t ns = 0;
    float smMhz = 0.0F;
    float memoryMhz = 0.0F;
    float watts = 0.0F; ///< where the driver averages, over the second before
    float celsius = 0.0F;
    std::uint32_t limits = 0; ///< bits of ClockLimit
};

/// Samples in short. Medians are the upper one of two: a stretch that is shorter than the time
/// between samples begins on an idle GPU.
struct GpuSummary {
    std::size_t samples = 0;
    float smMhz = 0.0F, memoryMhz = 0.0F; ///< medians
    float mostWatts = 0.0F, mostCelsius = 0.0F;
    std::array<double, kClockLimits.size()> limited{}; ///< share of the samples, as kClockLimits
};
/// Nothing of no samples.
std::optional<GpuSummary> summarize(std::span<const GpuSample> samples);

} // namespace fkv::trace
