// SPDX-License-Identifier: Apache-2.0
// The tracer over a library that stands in for CUPTI: owners, names and refusals. Needs no GPU.
#include "engine/cuda/cupti_tracer.h"
#include "tests/support/fake_cupti.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <tuple>

using fkv::KernelRecord;
using fkv::cuda::CuptiTracer;

namespace {

class CuptiTracerTest : public ::testing::Test {
protected:
    void SetUp() override {
        m_handle = ::dlopen(FKV_FAKE_CUPTI, RTLD_NOW | RTLD_LOCAL);
        fake = reinterpret_cast<FakeCupti* (*)()>(::dlsym(m_handle, "fakeCupti"))();
        fake->subscribeResult = fake->enableResult = 0;
    }
    void TearDown() override { ::dlclose(m_handle); }
    FakeCupti* fake = nullptr;

private:
    void* m_handle = nullptr;
};

/// Begin, end, owner and name.
std::vector<std::tuple<std::int64_t, std::int64_t, std::uint64_t, std::string>>
listed(const std::vector<KernelRecord>& records) {
    std::vector<std::tuple<std::int64_t, std::int64_t, std::uint64_t, std::string>> all;
    for (const KernelRecord& r : records)
        all.emplace_back(r.beginNs, r.endNs, r.owner, r.name);
    return all;
}

} // namespace

TEST_F(CuptiTracerTest, RecordsCarryTheIdTheyWereLaunchedUnder) {
    {
        const auto opened = CuptiTracer::open(FKV_FAKE_CUPTI);
        ASSERT_TRUE(opened.tracer) << opened.refusal;
        EXPECT_EQ(fake->subscribers, 1);
        EXPECT_EQ(fake->kindsEnabled, 6);
        CuptiTracer& tracer = *opened.tracer;
        fake->launch({"nvjet_a", 10, 20});
        const auto outer = tracer.enter();
        fake->launch({nullptr, 20, 25});
        const auto inner = tracer.enter();
        EXPECT_NE(inner, outer);
        fake->launch({"_ZN3fkv4cuda4mathILi3EEEvv", 25, 40});
        tracer.leave();
        fake->launch({"", 40, 41});
        fake->launch({"no time", 0, 0}); // as when there was no memory for it
        tracer.leave();
        EXPECT_TRUE(fake->owners.empty());
        EXPECT_EQ(listed(tracer.take()),
                  (std::vector<std::tuple<std::int64_t, std::int64_t, std::uint64_t, std::string>>{
                      {10, 20, 0, "nvjet_a"},
                      {20, 25, outer, "copy"},
                      {25, 40, inner, "fkv::cuda::math"},
                      {40, 41, outer, "fill"}}));
        EXPECT_TRUE(tracer.take().empty()) << "each once";
        fake->now = 77;
        EXPECT_EQ(tracer.nowNs(), 77);
        fake->launch({"late", 50, 60});
    }
    EXPECT_EQ(fake->subscribers, 0) << "others may trace again";
    EXPECT_EQ(fake->kindsEnabled, 0);
    const auto again = CuptiTracer::open(FKV_FAKE_CUPTI);
    EXPECT_TRUE(again.tracer->take().empty()) << "nothing of the one before";
}

TEST_F(CuptiTracerTest, AnotherToolIsNamedPlainly) {
    fake->subscribeResult = 39; // CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED
    const auto opened = CuptiTracer::open(FKV_FAKE_CUPTI);
    EXPECT_FALSE(opened.tracer);
    EXPECT_EQ(opened.refusal, "another tool, as Nsight Systems, is "
                              "tracing this program");
    EXPECT_EQ(fake->subscribers, 0);
}

TEST_F(CuptiTracerTest, OtherRefusalsSayWhy) {
    fake->enableResult = 35; // CUPTI_ERROR_INSUFFICIENT_PRIVILEGES
    EXPECT_EQ(CuptiTracer::open(FKV_FAKE_CUPTI).refusal, "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES");
    EXPECT_EQ(fake->subscribers, 0) << "nothing is left behind";
    EXPECT_EQ(fake->kindsEnabled, 0);
    const std::string absent = CuptiTracer::open("libno-such-cupti.so").refusal;
    EXPECT_NE(absent.find("was not found"), std::string::npos) << absent;
    EXPECT_FALSE(CuptiTracer::open("libm.so.6").tracer) << "a library with other functions";
}
