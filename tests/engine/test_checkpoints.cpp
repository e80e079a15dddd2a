// SPDX-License-Identifier: Apache-2.0
// Checkpoints of the best tokens alone: what they give up, and that no number of a run changes.
#include "engine/core/error.h"
#include "engine/run/checkpoint_plan.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/failing_backend.h"

#include <functional>

using namespace fkv;
using namespace fkv::testing;
using run::CheckpointKind;
using run::CheckpointPlan;

namespace {

constexpr int kLayers = 16;

/// Of a model of 8 layers, a row of 10 bytes, 100 tokens of which 36 are held.
CheckpointPlan planIn(std::int64_t deviceBytes, std::int64_t hostBytes = 0) {
    return run::checkpointPlan({8, 100, 100, 36, 10, {deviceBytes, hostBytes}});
}

TEST(CheckpointPlans, GiveUpRowsThenTheDeviceThenLayers) {
    const std::vector<std::int32_t> all{0, 1, 2, 3, 4, 5, 6};
    EXPECT_EQ(planIn(7000), (CheckpointPlan{CheckpointKind::Whole, all}));
    EXPECT_EQ(planIn(6999), (CheckpointPlan{CheckpointKind::Ranked, all}));
    EXPECT_EQ(planIn(2520), (CheckpointPlan{CheckpointKind::Ranked, all}));
    EXPECT_EQ(planIn(2519, 2520), (CheckpointPlan{CheckpointKind::RankedOnHost, all}));
    EXPECT_EQ(planIn(0, 2520), (CheckpointPlan{CheckpointKind::RankedOnHost, all}));
    EXPECT_EQ(planIn(2519, 2519), (CheckpointPlan{CheckpointKind::Ranked, {1, 3, 5}}));
    EXPECT_EQ(planIn(1079, 1080), (CheckpointPlan{CheckpointKind::RankedOnHost, {1, 3, 5}}));
    EXPECT_EQ(planIn(1079), (CheckpointPlan{CheckpointKind::Ranked, {3}}));
    EXPECT_EQ(planIn(359), CheckpointPlan{});
}

/// A session that holds the best tokens of every layer, beside runs of sessions that hold all.
class RankedCheckpoints : public ::testing::Test {
protected:
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        request.settings.generate = 3;
        request.settings.tspLayer = 6;
        useRoomFor(request.prompt.ids->size());
    }
    void useRoomFor(std::size_t tokens) {
        run::Request whole = request;
        whole.prompt.ids = randomIds(tokens, 1);
        whole.memory = {};
        request.memory.checkpointBytes =
            demo().fit(static_cast<std::int64_t>(tokens), whole).instrument.checkpointBytes - 1;
    }
    /// Runs the request; the numbers must be those of a fresh session with everything.
    trace::RunPtr changed() {
        const trace::RunPtr run = analyse(*session, request);
        EXPECT_EQ(run->counters.checkpointLayers.size(), 15U);
        EXPECT_NE(run->counters.givenUp.find("all but the best"), std::string::npos)
            << run->counters.givenUp;
        run::Request whole = request;
        whole.memory = {};
        expectSameRun(*run, *analyse(*openDemo(), whole));
        return run;
    }
    std::int64_t lateRows(const trace::Run& run) const {
        return run.fastkv->budgets.propagated * (kLayers - 1 - request.settings.tspLayer);
    }

    run::Request request = requestFor(randomIds(900, 7));
    std::unique_ptr<run::Session> session = openDemo();
};

TEST_F(RankedCheckpoints, ServeEveryRateUpToTheirOwnAndMissNoRowAbove) {
    changed();
    for (const double rate : {0.05, 0.3}) {
        request.settings.tsp = trace::Amount::ofRate(rate);
        const trace::RunPtr run = changed();
        EXPECT_EQ(session->lastWork().fullRows, 0);
        EXPECT_EQ(session->lastWork().rerunRows, lateRows(*run)) << rate;
    }
    for (const double rate : {0.5, 0.9}) {
        request.settings.tsp = trace::Amount::ofRate(rate);
        SCOPED_TRACE(rate);
        const trace::RunPtr run = changed();
        EXPECT_GT(session->lastWork().rerunRows, lateRows(*run)) << "some start further in front";
        EXPECT_LT(session->lastWork().rerunRows, run->fastkv->budgets.propagated * kLayers)
            << "and not all of them";
    }
}

TEST_F(RankedCheckpoints, ServeOtherTspLayers) {
    changed();
    for (const int layer : {0, 3, 11, 14, 15}) {
        request.settings.tspLayer = layer;
        const trace::RunPtr run = changed();
        EXPECT_EQ(session->lastWork().rerunRows, layer == 15 ? 0 : lateRows(*run)) << layer;
    }
}

TEST_F(RankedCheckpoints, AnotherScoringStartsNewSurvivorsFurtherInFront) {
    changed();
    const std::function<void()> scorings[] = {
        [&] { request.settings.kernel = 21; },
        [&] { request.settings.pooling = trace::Pooling::Average; },
        [&] { request.settings.window = 64; }, [&] { request.settings.window = 1; }};
    for (const auto& change : scorings) {
        change();
        const trace::RunPtr run = changed();
        EXPECT_EQ(session->lastWork().fullRows, 0);
        EXPECT_LT(session->lastWork().rerunRows, run->fastkv->budgets.propagated * kLayers);
    }
}

TEST_F(RankedCheckpoints, AnEditedPromptKeepsWhatItsFrontHeld) {
    changed();
    std::vector<std::int32_t>& ids = *request.prompt.ids;
    const std::function<void()> edits[] = {[&] { ids[880] = 77; },
                                           [&] { ids.push_back(78); },
                                           [&] {
                                               const auto more = randomIds(700, 8);
                                               ids.insert(ids.end(), more.begin(), more.end());
                                           },
                                           [&] { ids.resize(1100); },
                                           [&] { ids[520] = 80; },
                                           [&] { ids.resize(580); }};
    for (const auto& edit : edits) {
        edit();
        SCOPED_TRACE(ids.size());
        useRoomFor(std::min<std::size_t>(ids.size(), 900)); // more tokens do not get more room
        const trace::RunPtr run = changed();
        EXPECT_GT(run->timing.reusedTokens, 0);
        EXPECT_LT(session->lastWork().rerunRows, run->fastkv->budgets.propagated * kLayers);
        request.settings.tsp = trace::Amount::ofRate(request.settings.tsp.rate > 0.25 ? 0.2 : 0.3);
        changed();
    }
}

/// Whole checkpoints that the budget no longer allows are cut to their best tokens, not run again.
TEST_F(RankedCheckpoints, AreCutFromWholeOnes) {
    run::Request whole = request;
    whole.memory = {};
    analyse(*session, whole);
    const trace::RunPtr run = changed();
    EXPECT_EQ(session->lastWork().fullRows, 0);
    request.settings.tsp = trace::Amount::ofRate(0.3);
    const trace::RunPtr other = changed();
    EXPECT_EQ(session->lastWork().rerunRows, lateRows(*other));
}

class StopAtLayer : public run::Observer {
public:
    void progress(const run::Progress& p) override {
        if (p.stage.starts_with("Prefill, layer 9 ")) stop.request_stop();
    }
    std::stop_source stop;
};

TEST_F(RankedCheckpoints, AStopHalfWayLeavesWhatTheFrontHeld) {
    changed();
    request.prompt.ids->at(890) = 5;
    StopAtLayer observer;
    EXPECT_THROW(session->analyse(request, observer, observer.stop.get_token()), Error);
    const trace::RunPtr run = changed();
    EXPECT_GT(run->timing.reusedTokens, 0);
    request.prompt.ids->at(700) = 5;
    changed();
}

TEST(HostCheckpoints, LieBesideADeviceThatHasNoRoom) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    Shortage shortage;
    shortage.ofItsOwn = true;
    Recorder recorder;
    const auto session = run::Session::open(
        FKV_RESOURCES "/models/demo",
        std::make_unique<FailingBackend>(ops::makeBackend({"cpu", 2}), shortage), recorder, {});
    run::Request request = requestFor(randomIds(900, 7));
    request.settings.generate = 3;
    const trace::RunPtr all = analyse(*session, request);
    EXPECT_EQ(all->rung, trace::Rung::Everything);
    request.memory.checkpointBytes = 0;
    const trace::RunPtr host = analyse(*session, request);
    EXPECT_EQ(session->lastWork().fullRows, 0) << "they are brought there";
    EXPECT_EQ(host->rung, trace::Rung::FewerCheckpoints);
    EXPECT_NE(host->counters.givenUp.find("in host memory"), std::string::npos);
    EXPECT_EQ(host->counters.heldBytes, all->counters.heldBytes - all->counters.checkpointBytes);
    expectSameRun(*host, *all);
    request.settings.tsp = trace::Amount::ofRate(0.3);
    const trace::RunPtr run = analyse(*session, request);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    EXPECT_EQ(session->lastWork().rerunRows, run->fastkv->budgets.propagated * 8);
    expectSameRun(*run, *analyse(*openDemo(), request));
}

} // namespace
