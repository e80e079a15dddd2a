// SPDX-License-Identifier: Apache-2.0
// What the driver says about a GPU: asked through a library that stands in for NVML, sampled beside
// work, laid on the run's clock, summed up.
#include "engine/core/error.h"
#include "engine/cuda/gpu_monitor.h"
#include "engine/io/trace_file.h"
#include "engine/run/gpu_sampling.h"
#include "engine/run/timing.h"
#include "tests/support/fake_nvml.h"
#include "tests/support/synthetic_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trace_image.h"

#include <chrono>
#include <cmath>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <thread>

using namespace fkv;
using cuda::GpuMonitor;
using trace::ClockLimit;
using trace::GpuSample;

namespace {

constexpr const char* kBus = "0000:3b:00.0";

/// The library's state; it stays loaded as long as this.
class Fake {
public:
    explicit Fake(const char* library = FKV_FAKE_NVML)
        : m_handle(::dlopen(library, RTLD_NOW | RTLD_LOCAL)),
          m_state(reinterpret_cast<FakeNvml* (*)()>(::dlsym(m_handle, "fakeNvml"))()) {}
    ~Fake() { ::dlclose(m_handle); }
    FakeNvml* operator->() const { return m_state; }

private:
    void* m_handle;
    FakeNvml* m_state;
};

std::uint32_t bits(std::initializer_list<ClockLimit> limits) {
    std::uint32_t all = 0;
    for (const ClockLimit limit : limits)
        all |= static_cast<std::uint32_t>(limit);
    return all;
}

std::size_t indexOf(ClockLimit limit) {
    return static_cast<std::size_t>(
        std::find(trace::kClockLimits.begin(), trace::kClockLimits.end(), limit) -
        trace::kClockLimits.begin());
}

} // namespace

TEST(GpuMonitor, SaysWhatTheDriverSays) {
    for (const char* library : {FKV_FAKE_NVML, FKV_FAKE_OLD_NVML}) {
        const Fake fake(library);
        fake->reasons =
            0x1 | 0x4 | 0x8 | 0x80 | (1ULL << 40); // idle and unknown ones are no limits
        const auto monitor = GpuMonitor::open(kBus, library);
        ASSERT_TRUE(monitor);
        const GpuSample s = monitor->sample();
        EXPECT_EQ(s.smMhz, 1980.0F);
        EXPECT_EQ(s.memoryMhz, 2619.0F);
        EXPECT_FLOAT_EQ(s.watts, 650.25F);
        EXPECT_EQ(s.celsius, 66.0F);
        EXPECT_EQ(s.limits, bits({ClockLimit::PowerCap, ClockLimit::HardwareSlowdown,
                                  ClockLimit::PowerBrake}));
        fake->milliwatts = 0;
        EXPECT_EQ(monitor->sample().watts, 0.0F) << "what is not supported is not said";
        EXPECT_EQ(monitor->sample().smMhz, 1980.0F);
    }
}

TEST(GpuMonitor, IsAbsentWithoutADriverOrThatDevice) {
    const Fake fake;
    EXPECT_FALSE(GpuMonitor::open("", FKV_FAKE_NVML)) << "the CPU";
    EXPECT_FALSE(GpuMonitor::open("0000:00:00.0", FKV_FAKE_NVML));
    EXPECT_FALSE(GpuMonitor::open(kBus, "libno-such-driver.so.1"));
    EXPECT_FALSE(GpuMonitor::open(kBus, "libm.so.6")) << "a library with other functions";
    EXPECT_EQ(fake->opened, 0);
    fake->broken = true;
    EXPECT_FALSE(GpuMonitor::open(kBus, FKV_FAKE_NVML));
    fake->broken = false;
    fake->opened = 0;
    {
        const auto monitor = GpuMonitor::open(kBus, FKV_FAKE_NVML);
        EXPECT_EQ(fake->opened, 1);
    }
    EXPECT_EQ(fake->opened, 0) << "shut down after use";
}

TEST(GpuSampling, SamplesAtTheBeginningAndAtTheEndOfShortWork) {
    const Fake fake;
    const auto monitor = GpuMonitor::open(kBus, FKV_FAKE_NVML);
    run::GpuSampling sampling(monitor.get());
    const std::vector<GpuSample> samples = sampling.take();
    ASSERT_GE(samples.size(), 2U);
    EXPECT_LE(samples.front().ns, samples.back().ns);
    EXPECT_GE(samples.front().ns, 0);
    const int asked = fake->asked;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    EXPECT_EQ(fake->asked, asked) << "nothing goes on after it was taken";
}

TEST(GpuSampling, GoesOnBesideLongWork) {
    const Fake fake;
    const auto monitor = GpuMonitor::open(kBus, FKV_FAKE_NVML);
    run::GpuSampling sampling(monitor.get());
    while (fake->asked < 2 * 4) // as long as it takes: two clocks a sample
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::vector<GpuSample> samples = sampling.take();
    EXPECT_GE(samples.size(), 4U);
    for (std::size_t i = 1; i < samples.size(); ++i)
        EXPECT_LT(samples[i - 1].ns, samples[i].ns);
}

TEST(GpuSampling, NothingIsThereToSampleOnTheCpu) {
    EXPECT_TRUE(run::GpuSampling(nullptr).take().empty());
    const Fake fake;
    const auto monitor = GpuMonitor::open(kBus, FKV_FAKE_NVML);
    const run::GpuSampling abandoned(monitor.get()); // as after an error: ends by itself
}

TEST(GpuState, StretchesLieEndToEndOnTheRunsClock) {
    run::HeldState held;
    held.full.stretch.durationNs = 1000;
    // The driver answers when the work is over already: still within its stretch.
    held.full.stretch.gpu = {{0, 1000.0F}, {1200, 1100.0F}};
    held.rerun.stretch.durationNs = 500;
    held.rerun.stretch.gpu = {{10, 1200.0F}};
    held.answer.stretch.gpu = {{7, 1300.0F}};
    const trace::Budgets budgets;
    std::vector<std::pair<std::int64_t, float>> got;
    for (const GpuSample& s :
         run::composeTiming(held, {budgets, true, false, false, true}, 0.0).gpu)
        got.emplace_back(s.ns, s.smMhz);
    EXPECT_EQ(got, (std::vector<std::pair<std::int64_t, float>>{
                       {0, 1000.0F}, {1000, 1100.0F}, {1010, 1200.0F}, {1500, 1300.0F}}));
}

TEST(GpuState, SummariesAreMediansMostAndShares) {
    EXPECT_FALSE(trace::summarize({}));
    const std::uint32_t cap = bits({ClockLimit::PowerCap});
    const std::vector<GpuSample> samples{{0, 345.0F, 2619.0F, 80.0F, 35.0F, 0},
                                         {1, 1980.0F, 2619.0F, 500.0F, 60.0F, 0},
                                         {2, 1755.0F, 2619.0F, 699.0F, 66.0F, cap},
                                         {3, 1700.0F, 2619.0F, 698.0F, 67.0F, cap}};
    const auto summary = trace::summarize(samples);
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->samples, 4U);
    EXPECT_EQ(summary->smMhz, 1755.0F) << "the upper one of two";
    EXPECT_EQ(summary->memoryMhz, 2619.0F);
    EXPECT_EQ(summary->mostWatts, 699.0F);
    EXPECT_EQ(summary->mostCelsius, 67.0F);
    EXPECT_DOUBLE_EQ(summary->limited[indexOf(ClockLimit::PowerCap)], 0.5);
    EXPECT_DOUBLE_EQ(summary->limited[indexOf(ClockLimit::Thermal)], 0.0);
    for (const ClockLimit limit : trace::kClockLimits)
        EXPECT_FALSE(trace::name(limit).empty());
}

TEST(GpuState, DamagedSamplesAreRefused) {
    const fkv::testing::TemporaryFolder folder;
    trace::Run run = *fkv::testing::makeRun({.tokens = 60});
    run.timing.gpu = {{5, 1980.0F, 2619.0F, 650.0F, 66.0F, 4}};
    io::saveTrace(run, folder / "a");
    const auto opens = [&](auto change) {
        fkv::testing::TraceImage image = fkv::testing::TraceImage::open(folder / "a");
        change(image);
        try {
            return io::openTrace(io::MappedFile::own(image.pack(), "changed"))->timing.gpu.size();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::BadFile);
            return std::size_t{99};
        }
    };
    using fkv::testing::TraceImage;
    EXPECT_EQ(opens([](TraceImage&) {}), 1U);
    EXPECT_EQ(opens([](TraceImage& i) { i.tensors.erase("gpu.watts"); }), 99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.value<std::int64_t>("gpu.ns", 0) = -1; }), 99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.value<float>("gpu.sm_mhz", 0) = NAN; }), 99U);
    EXPECT_EQ(opens([](TraceImage& i) { i.value<float>("gpu.celsius", 0) = INFINITY; }), 99U);
    EXPECT_EQ(opens([](TraceImage& i) { // as older traces are
                  std::erase_if(i.tensors,
                                [](const auto& t) { return t.first.starts_with("gpu."); });
              }),
              0U);
}
