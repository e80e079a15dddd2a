// SPDX-License-Identifier: Apache-2.0
// The session on the demo model: what it answers, what it publishes, and that it does no more work
// than a change needs.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"

#include <algorithm>

using namespace fkv;
using namespace fkv::testing;

namespace {

constexpr int kLayers = 16;

std::int64_t rowsTimesLayers(const trace::Run& run) {
    return run.tokens() * kLayers;
}

TEST(Session, AFreshPromptRunsEverythingAndPublishesItStepByStep) {
    const auto session = openDemo();
    Recorder recorder;
    const trace::RunPtr run =
        session->analyse(requestFor(promptText("password.txt")), recorder, {});
    EXPECT_EQ(run->tokens(), 1447);
    EXPECT_EQ(run->fullAnswer->firstLine(), "gentle needle");
    EXPECT_EQ(run->fastkvAnswer->firstLine(), "gentle needle");
    EXPECT_EQ(run->fidelity->kl.size(), run->fullAnswer->tokens.size());
    EXPECT_LT(run->fidelity->kl.front(), 0.01);
    ASSERT_NE(run->full->tables, nullptr);
    const run::Session::Work& work = session->lastWork();
    EXPECT_EQ(work.fullRows, rowsTimesLayers(*run));
    EXPECT_EQ(work.rerunRows, run->fastkv->budgets.propagated * 8);
    EXPECT_TRUE(work.regathered);
    EXPECT_FALSE(work.rescored);
    EXPECT_EQ(work.decoded, static_cast<std::int64_t>(run->fullAnswer->tokens.size() +
                                                      run->fastkvAnswer->tokens.size()));

    ASSERT_GE(recorder.runs.size(), 3U);
    EXPECT_EQ(recorder.runs.back(), run);
    EXPECT_NE(recorder.runs[0]->full, nullptr);
    EXPECT_EQ(recorder.runs[0]->fastkv, nullptr);
    EXPECT_EQ(recorder.runs[0]->fullAnswer, nullptr);
    EXPECT_NE(recorder.runs[1]->fastkv, nullptr);
    EXPECT_EQ(recorder.runs[1]->fastkvAnswer, nullptr);
    EXPECT_EQ(recorder.runs[1]->fidelity->kl.size(), 1U);
    for (std::size_t i = 1; i < recorder.runs.size(); ++i)
        EXPECT_GT(recorder.runs[i]->id, recorder.runs[i - 1]->id);
    for (const run::Progress& p : recorder.stages) {
        EXPECT_GE(p.fraction, 0.0);
        EXPECT_LE(p.fraction, 1.0);
    }
}

TEST(Session, ABudgetChangeRunsNoLayerAndASmallerOneGathersNothing) {
    const auto session = openDemo();
    run::Request request = requestFor(randomIds(sized(700), 1));
    const trace::RunPtr first = analyse(*session, request);
    request.settings.kv = trace::Amount::ofRate(0.05);
    const trace::RunPtr smaller = analyse(*session, request);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    EXPECT_EQ(session->lastWork().rerunRows, 0);
    EXPECT_FALSE(session->lastWork().regathered);
    EXPECT_GT(session->lastWork().decoded, 0);
    EXPECT_EQ(smaller->full, first->full) << "planes are shared";
    EXPECT_EQ(smaller->fastkv->late[0].ranks, first->fastkv->late[0].ranks);
    EXPECT_EQ(smaller->fullAnswer, first->fullAnswer);
    EXPECT_EQ(smaller->fidelity->kl.front(), first->fidelity->kl.front());

    request.settings.kv = trace::Amount::ofRate(0.2);
    const trace::RunPtr larger = analyse(*session, request);
    EXPECT_EQ(session->lastWork().rerunRows, 0);
    EXPECT_TRUE(session->lastWork().regathered);

    for (const double rate : {0.05, 0.2}) {
        request.settings.kv = trace::Amount::ofRate(rate);
        const auto fresh = openDemo();
        expectSameRun(rate < 0.1 ? *smaller : *larger, *analyse(*fresh, request));
    }
}

TEST(Session, ATspChangeRunsTheLayersAfterItAlone) {
    const auto session = openDemo();
    run::Request request = requestFor(randomIds(sized(700), 1));
    const trace::RunPtr first = analyse(*session, request);
    request.settings.tspLayer = 4;
    request.settings.tsp = trace::Amount::ofRate(0.35);
    const trace::RunPtr second = analyse(*session, request);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    EXPECT_EQ(session->lastWork().rerunRows, second->fastkv->budgets.propagated * 11);
    EXPECT_EQ(second->full, first->full);
    expectSameRun(*second, *analyse(*openDemo(), request));
    request.settings = first->fastkv->settings;
    expectSameRun(*first, *analyse(*session, request));
}

TEST(Session, TheSameRequestAgainDoesNothing) {
    run::Session& session = demo();
    const run::Request request = requestFor(randomIds(sized(700), 2));
    const trace::RunPtr first = analyse(session, request);
    const trace::RunPtr again = analyse(session, request);
    EXPECT_GT(again->id, first->id);
    EXPECT_EQ(
        session.lastWork().fullRows + session.lastWork().rerunRows + session.lastWork().decoded, 0);
    expectSameRun(*first, *again);
}

TEST(Session, RatesOfOneAreFullContextBitForBit) {
    run::Request request = requestFor(randomIds(sized(700), 1));
    request.settings.tsp = request.settings.kv = trace::Amount::ofRate(1.0);
    const trace::RunPtr run = analyse(demo(), request);
    EXPECT_FALSE(run->fastkv->budgets.tspOn);
    EXPECT_EQ(run->fastkv->logits, run->full->logits);
    ASSERT_EQ(run->fastkvAnswer->tokens.size(), run->fullAnswer->tokens.size());
    for (std::size_t i = 0; i < run->fullAnswer->tokens.size(); ++i)
        EXPECT_EQ(run->fastkvAnswer->tokens[i].id, run->fullAnswer->tokens[i].id);
    for (const double kl : run->fidelity->kl)
        EXPECT_EQ(kl, 0.0);
}

} // namespace
