// SPDX-License-Identifier: Apache-2.0
// The same instrument on the GPU: golden cases within what bf16 allows, the same bits twice, rates
// of 1 give full context, the deployed path gives the composed one's sets.
#include "engine/cuda/make_cuda.h"
#include "engine/select/fate.h"
#include "tests/support/engine_fixture.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

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

double jaccard(std::vector<std::int32_t> a, std::vector<std::int32_t> b) {
    std::vector<std::int32_t> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    const double n = static_cast<double>(both.size());
    return n / (static_cast<double>(a.size() + b.size()) - n);
}

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
