// SPDX-License-Identifier: Apache-2.0
// The same instrument on the GPU: golden cases within what bf16 allows, the same bits twice, rates
// of 1 give full context, the deployed path gives the composed one's sets.
#include "engine/cuda/gpu_monitor.h"
#include "engine/cuda/make_cuda.h"
#include "engine/select/fate.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/golden_case.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

using namespace fkv;
using namespace fkv::testing;

namespace {

class SessionCuda : public ::testing::Test {
protected:
    void SetUp() override {
        if (!cuda::anyDevice()) GTEST_SKIP() << "no CUDA device on this machine";
        Recorder recorder;
        gpu = run::Session::open(FKV_RESOURCES "/models/demo", {"cuda:0", 0}, recorder, {});
        cpu = openDemo(0);
    }
    std::unique_ptr<run::Session> gpu, cpu;
};

} // namespace

TEST_F(SessionCuda, AnswersAsTheCpuDoesAndKeepsNearlyTheSameTokens) {
    for (const char* file : {"password.txt", "magic-number.txt", "secret-code.txt", "owner.txt"}) {
        const run::Request request = requestFor(promptText(file));
        const trace::RunPtr a = analyse(*gpu, request), b = analyse(*cpu, request);
        EXPECT_EQ(a->fullAnswer->firstLine(), b->fullAnswer->firstLine()) << file;
        EXPECT_EQ(a->fastkvAnswer->firstLine(), b->fastkvAnswer->firstLine()) << file;
        EXPECT_GE(jaccard(a->fastkv->survivors, b->fastkv->survivors), 0.95) << file;
        const auto fateA = select::computeFate(*a, request.settings);
        const auto fateB = select::computeFate(*b, request.settings);
        double sum = 0.0;
        int count = 0;
        for (int l = 0; l < a->model.layers; ++l)
            for (int g = 0; g < a->model.kvHeads; ++g, ++count)
                sum += jaccard(select::keptPositions(*fateA, l, g),
                               select::keptPositions(*fateB, l, g));
        RecordProperty("jaccard", std::to_string(sum / count));
        std::printf("%s: survivors %.4f, kept sets %.4f\n", file,
                    jaccard(a->fastkv->survivors, b->fastkv->survivors), sum / count);
        EXPECT_GE(sum / count, 0.9) << file;
    }
}

TEST_F(SessionCuda, TheSameBitsTwiceAndAfterChanges) {
    run::Request request = requestFor(promptText("password.txt"));
    const trace::RunPtr first = analyse(*gpu, request);
    request.settings.kv = trace::Amount::ofRate(0.03);
    analyse(*gpu, request);
    request.settings.tsp = trace::Amount::ofRate(0.4);
    analyse(*gpu, request);
    request = requestFor(promptText("password.txt"));
    const trace::RunPtr again = analyse(*gpu, request);
    EXPECT_EQ(first->full->logits, again->full->logits);
    EXPECT_EQ(first->fastkv->logits, again->fastkv->logits);
    EXPECT_EQ(first->fidelity->kl, again->fidelity->kl);
    EXPECT_EQ(first->fastkvAnswer->text(), again->fastkvAnswer->text());
}

TEST_F(SessionCuda, RatesOfOneAreFullContext) {
    run::Request request = requestFor(promptText("password.txt"));
    request.settings.tsp = request.settings.kv = trace::Amount::ofRate(1.0);
    const trace::RunPtr run = analyse(*gpu, request);
    EXPECT_EQ(run->full->logits, run->fastkv->logits);
    EXPECT_EQ(run->fullAnswer->text(), run->fastkvAnswer->text());
    for (const double kl : run->fidelity->kl)
        EXPECT_EQ(kl, 0.0);
}

TEST_F(SessionCuda, StandaloneGivesTheComposedSets) {
    const run::Request request = requestFor(promptText("owner.txt"));
    const trace::RunPtr composed = analyse(*gpu, request);
    Recorder recorder;
    const trace::RunPtr measured = gpu->measure(request, 2, recorder, {});
    EXPECT_GE(jaccard(composed->fastkv->survivors, measured->fastkv->survivors), 0.98);
    EXPECT_TRUE(measured->fastkv->standalone);
}

TEST_F(SessionCuda, ClocksAndPowerAreSampled) {
    const auto monitor = cuda::GpuMonitor::open(gpu->device().pciBusId);
    ASSERT_FALSE(gpu->device().pciBusId.empty());
    if (!monitor) GTEST_SKIP() << "no NVML for " << gpu->device().pciBusId;
    Recorder recorder;
    const trace::RunPtr run = gpu->measure(requestFor(promptText("owner.txt")), 1, recorder, {});
    // Two at least of each: full pass, rerun, both answers, the deployed path.
    ASSERT_GE(run->timing.gpu.size(), 10U);
    for (std::size_t i = 0; i < run->timing.gpu.size(); ++i) {
        const trace::GpuSample& s = run->timing.gpu[i];
        EXPECT_GT(s.smMhz, 100.0F);
        EXPECT_GT(s.memoryMhz, 100.0F);
        EXPECT_GT(s.watts, 10.0F);
        EXPECT_GT(s.celsius, 0.0F);
        if (i > 0) {
            EXPECT_LE(run->timing.gpu[i - 1].ns, s.ns);
        }
    }
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i)
        monitor->sample();
    std::printf("a sample takes %.3f ms\n",
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                        .count() /
                    20.0);
    EXPECT_TRUE(analyse(*cpu, requestFor(promptText("owner.txt")))->timing.gpu.empty());
}

TEST_F(SessionCuda, KernelsLieBelowTheirZones) {
    run::Request request = requestFor(promptText("owner.txt"));
    request.kernels = true;
    Recorder recorder;
    const trace::RunPtr run = gpu->measure(request, 1, recorder, {});
    const trace::KernelList& list = run->timing.kernels;
    if (!list.absent.empty()) GTEST_SKIP() << "kernels not recorded: " << list.absent;
    std::set<std::pair<trace::PassKind, trace::Zone>> seen;
    std::int64_t outside = 0;
    for (const trace::Kernel& k : list.kernels) {
        ASSERT_LT(k.span, run->timing.spans.size());
        const trace::Span& span = run->timing.spans[k.span];
        seen.emplace(span.pass, span.zone);
        // Steps of decoding are launched ahead: they run on after the step that launched them.
        const bool ahead =
            span.pass == trace::PassKind::DecodeFull || span.pass == trace::PassKind::DecodeFastKv;
        outside = std::max({outside, span.beginNs - k.beginNs, ahead ? 0 : k.endNs - span.endNs});
    }
    // Two clocks of one GPU, brought together by what must lie inside what.
    EXPECT_LT(outside, 50'000) << "ns";
    using trace::PassKind;
    using trace::Zone;
    for (const PassKind pass : {PassKind::Full, PassKind::FastKv, PassKind::Standalone})
        for (const Zone zone : {Zone::Norm, Zone::Qkv, Zone::Rope, Zone::Attention, Zone::OutProj,
                                Zone::Mlp, Zone::WindowSums, Zone::Saliency, Zone::Ranks})
            EXPECT_TRUE(seen.contains({pass, zone})) << name(pass) << ' ' << name(zone);
    EXPECT_TRUE(seen.contains({PassKind::DecodeFull, Zone::Pass})) << "the steps' graph";
    EXPECT_TRUE(seen.contains({PassKind::DecodeFastKv, Zone::Pass}));
    for (const trace::KernelTotal& sum : totals(list))
        std::printf("%8.3f ms in %5lld: %s\n", static_cast<double>(sum.ns) * 1e-6,
                    static_cast<long long>(sum.count), list.names[sum.name].c_str());
    std::printf("kernels lie at most %lld ns outside of their zone\n",
                static_cast<long long>(outside));
    // Without being asked for there are none.
    const trace::RunPtr plain = analyse(*gpu, requestFor(promptText("password.txt")));
    EXPECT_TRUE(plain->timing.kernels.empty());
    EXPECT_EQ(plain->timing.kernels.absent, "");
}
