// SPDX-License-Identifier: Apache-2.0
// What a GPU has no room for is given up step by step, down to keys and values in memory of its
// host: the bits stay where every row is held, and nearly so where rows are made again.
#include "engine/cuda/make_cuda.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/fit_steps.h"
#include "tests/support/golden_case.h"

#include <algorithm>
#include <cmath>
#include <functional>

using namespace fkv;
using namespace fkv::testing;
using trace::Amount;

namespace {

std::unique_ptr<run::Session> openOnGpu() {
    Recorder recorder;
    return run::Session::open(FKV_RESOURCES "/models/demo", {"cuda:0", 0}, recorder, {});
}

class HeldCuda : public ::testing::Test {
public:
    void SetUp() override {
        if (!cuda::anyDevice()) GTEST_SKIP() << "no CUDA device on this machine";
        session = openOnGpu();
        whole = openOnGpu();
        request.settings.generate = 4;
    }
    run::FitReport fitIn(std::int64_t limit) {
        return fkv::testing::fitIn(*session, request, limit);
    }
    /// Runs within the room of a step; every number must be that of a session with everything.
    void expectSame(const char* step) {
        const trace::RunPtr run = analyse(*session, request);
        EXPECT_NE(run->counters.givenUp.find(step), std::string::npos) << run->counters.givenUp;
        EXPECT_LE(run->counters.heldBytes - run->counters.planeBytes, request.memory.limitBytes);
        run::Request free = request;
        free.memory = {};
        expectSameRun(*run, *analyse(*whole, free));
    }
    void expectSameThroughChanges(const char* step, std::int64_t (HeldCuda::*limit)()) {
        SCOPED_TRACE(step);
        request.settings = select::defaultSettings(16);
        request.settings.generate = 4;
        const std::function<void()> changes[] = {
            [] {},
            [&] { request.settings.kv = Amount::ofRate(0.15); },
            [&] { request.settings.tsp = Amount::ofRate(0.3); },
            [&] { request.settings.tspLayer = 10; },
        };
        for (const auto& change : changes) {
            change();
            request.memory.limitBytes = (this->*limit)();
            expectSame(step);
        }
        EXPECT_EQ(session->lastWork().fullRows, 0);
        // Rows that no checkpoint has go through other products than in the full pass.
        request.settings.tsp = Amount::ofRate(0.5);
        request.memory.limitBytes = (this->*limit)();
        const trace::RunPtr run = analyse(*session, request);
        run::Request free = request;
        free.memory = {};
        const trace::RunPtr all = analyse(*whole, free);
        EXPECT_EQ(run->fastkv->survivors, all->fastkv->survivors);
        double most = 0.0;
        for (std::size_t i = 0; i < all->fastkv->logits.size(); ++i)
            most =
                std::max(most, std::abs(double{run->fastkv->logits[i]} - all->fastkv->logits[i]));
        std::printf("%s: logits of rows made again differ by %.3g at most\n", step, most);
        EXPECT_LT(most, 0.15);
    }
    std::int64_t ranked() { return fitIn(0).neededBytes() - 1; }
    std::int64_t onHost() { return bareBytes(fitIn(0)); }
    std::int64_t withoutLate() { return bareBytes(fitIn(0)) - 1; }
    std::int64_t withHost() { return bareBytes(fitIn(withoutLate())) - 1; }

    std::unique_ptr<run::Session> session, whole;
    run::Request request = requestFor(randomIds(3000, 7));
};

TEST_F(HeldCuda, CheckpointsOfTheBestTokens) {
    expectSameThroughChanges("all but the best", &HeldCuda::ranked);
}

TEST_F(HeldCuda, CheckpointsInHostMemory) {
    expectSameThroughChanges("these lie in host memory", &HeldCuda::onHost);
}

TEST_F(HeldCuda, NoLateKeysAndValues) {
    expectSameThroughChanges("keys and values of late layers", &HeldCuda::withoutLate);
}

TEST_F(HeldCuda, KeysAndValuesInHostMemory) {
    expectSameThroughChanges("full context decodes at the speed of the bus", &HeldCuda::withHost);
}

} // namespace
