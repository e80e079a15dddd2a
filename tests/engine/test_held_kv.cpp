// SPDX-License-Identifier: Apache-2.0
// Keys and values that the device has no room for: late ones go, then all others lie on the host.
// No number of a run changes.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/failing_backend.h"
#include "tests/support/fit_steps.h"

#include <algorithm>
#include <functional>

using namespace fkv;
using namespace fkv::testing;
using trace::Amount;

namespace {

constexpr int kLayers = 16;

/// A session over a device of its own memory, held within less and less of it.
class HeldKv : public ::testing::Test {
protected:
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        shortage.ofItsOwn = true;
        Recorder recorder;
        session = run::Session::open(
            FKV_RESOURCES "/models/demo",
            std::make_unique<FailingBackend>(ops::makeBackend({"cpu", 2}), shortage), recorder, {});
        request.settings.generate = 3;
    }
    run::FitReport fitIn(std::int64_t limit) {
        return fkv::testing::fitIn(*session, request, limit);
    }
    /// The most room in which late keys and values still go, or all lie on the host.
    std::int64_t withoutLate() { return bareBytes(fitIn(0)) - 1; }
    std::int64_t withHost() { return bareBytes(fitIn(withoutLate())) - 1; }

    /// Runs the request; the numbers must be those of a fresh session with everything.
    trace::RunPtr changed() {
        const trace::RunPtr run = analyse(*session, request);
        run::Request whole = request;
        whole.memory = {};
        expectSameRun(*run, *analyse(*openDemo(), whole));
        EXPECT_EQ(run->rung, trace::Rung::FewerCheckpoints);
        EXPECT_LE(run->counters.heldBytes - run->counters.planeBytes, request.memory.limitBytes);
        return run;
    }

    Shortage shortage;
    std::unique_ptr<run::Session> session;
    run::Request request = requestFor(randomIds(900, 7));
};

TEST_F(HeldKv, LateOnesGoWhereTheirRoomIsMissing) {
    request.memory.limitBytes = withoutLate();
    const trace::RunPtr run = changed();
    EXPECT_NE(run->counters.givenUp.find("keys and values of late layers"), std::string::npos)
        << run->counters.givenUp;
    EXPECT_EQ(run->counters.givenUp.find("host memory: full"), std::string::npos);
    const std::int64_t late = run->fastkv->budgets.propagated * 8;
    EXPECT_EQ(session->lastWork().rerunRows, late);
    // A smaller budget is a prefix of what is there; a larger one is not.
    request.settings.kv = Amount::ofRate(0.05);
    changed();
    EXPECT_EQ(session->lastWork().rerunRows, 0);
    EXPECT_FALSE(session->lastWork().regathered);
    request.settings.kv = Amount::ofRate(0.15);
    request.memory.limitBytes = withoutLate();
    changed();
    EXPECT_EQ(session->lastWork().rerunRows, late);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    request.settings.generate = 5;
    request.memory.limitBytes = withoutLate();
    changed();
    EXPECT_EQ(session->lastWork().rerunRows, 0);
    request.settings.tsp = Amount::ofRate(0.3);
    request.memory.limitBytes = withoutLate();
    changed();
    EXPECT_EQ(session->lastWork().fullRows, 0);
}

TEST_F(HeldKv, LateOnesThatAreHeldGoWithoutAnotherRerun) {
    const trace::RunPtr all = analyse(*session, request);
    EXPECT_EQ(all->rung, trace::Rung::Everything);
    request.memory.limitBytes = withoutLate();
    const trace::RunPtr run = changed();
    EXPECT_EQ(session->lastWork().rerunRows, 0);
    EXPECT_LT(run->counters.heldBytes, all->counters.heldBytes);
    request.settings.kv = Amount::ofRate(0.08);
    changed();
    EXPECT_EQ(session->lastWork().rerunRows, 0);
    request.memory = {};
    request.settings.kv = Amount::ofRate(0.12);
    EXPECT_EQ(analyse(*session, request)->counters.givenUp.find("late"), std::string::npos);
}

TEST_F(HeldKv, OnTheHostTheyServeEveryChange) {
    request.memory.limitBytes = withHost();
    ASSERT_EQ(fitIn(request.memory.limitBytes).kv.place, ops::Place::Host);
    const trace::RunPtr run = changed();
    EXPECT_NE(run->counters.givenUp.find("host memory: full context decodes"), std::string::npos)
        << run->counters.givenUp;
    const std::function<void()> changes[] = {
        [&] { request.settings.kv = Amount::ofRate(0.15); },
        [&] { request.settings.tsp = Amount::ofRate(0.6); }, // rows that no checkpoint holds
        [&] { request.settings.tspLayer = 3; },
        [&] { request.settings.window = 32; }, // scored anew from queries and keys
        [&] { request.settings.kernel = 3; },
        [&] { request.settings.kv = Amount::ofRate(1.0); },
        [&] { request.settings.tsp = Amount::ofRate(1.0); }};
    int held = 0;
    for (const auto& change : changes) {
        change();
        request.memory.limitBytes = withHost();
        // Where nothing is cut the host is no less than the deployed path.
        if (fitIn(request.memory.limitBytes).kv.place != ops::Place::Host) continue;
        ++held;
        changed();
        EXPECT_EQ(session->lastWork().fullRows, 0);
    }
    EXPECT_GE(held, 5);
}

TEST_F(HeldKv, OnTheHostAnEditedPromptGoesOnFromItsFront) {
    request.memory.limitBytes = withHost();
    changed();
    std::vector<std::int32_t>& ids = *request.prompt.ids;
    const std::function<void()> edits[] = {[&] { ids[890] = 5; },
                                           [&] {
                                               const auto more = randomIds(400, 9);
                                               ids.insert(ids.end(), more.begin(), more.end());
                                           },
                                           [&] { ids.resize(700); }};
    for (const auto& edit : edits) {
        edit();
        SCOPED_TRACE(ids.size());
        request.memory.limitBytes = withHost();
        const trace::RunPtr run = changed();
        EXPECT_EQ(run->timing.reusedTokens, 512);
    }
}

TEST_F(HeldKv, WhatLiesOnTheHostIsNotMeasuredAsDeployed) {
    request.memory.limitBytes = withHost();
    const run::FitReport r = fitIn(request.memory.limitBytes);
    ASSERT_EQ(r.kv.place, ops::Place::Host);
    const bool fullFits = r.totalBytes(r.full) <= request.memory.limitBytes;
    Recorder recorder;
    trace::RunPtr run = session->measure(request, 2, recorder, {});
    EXPECT_EQ(run->timing.standaloneFullMs.size(), fullFits ? 2U : 0U);
    EXPECT_EQ(run->timing.standaloneFastKvMs.size(), 2U);
    request.memory.limitBytes = std::max(r.totalBytes(r.fastkv), bareBytes(r));
    ASSERT_EQ(fitIn(request.memory.limitBytes).kv.place, ops::Place::Host);
    ASSERT_GT(r.totalBytes(r.full), request.memory.limitBytes);
    run = session->measure(request, 2, recorder, {});
    EXPECT_TRUE(run->timing.standaloneFullMs.empty());
    EXPECT_EQ(run->timing.standaloneFastKvMs.size(), 2U);
    EXPECT_LE(run->counters.standaloneFastKvPeakBytes, request.memory.limitBytes);
}

TEST_F(HeldKv, MoveBetweenDeviceAndHostWithoutAnotherPass) {
    const trace::RunPtr all = analyse(*session, request);
    request.memory.limitBytes = withHost();
    changed();
    EXPECT_EQ(session->lastWork().fullRows, 0);
    request.memory.limitBytes = withoutLate();
    changed();
    EXPECT_EQ(analyse(*session, request)->counters.givenUp.find("full context decodes"),
              std::string::npos);
    EXPECT_EQ(session->lastWork().fullRows, 0);
}

} // namespace
