// SPDX-License-Identifier: Apache-2.0
// What a session gives up when its memory is limited, and that it says so; test_fit has the
// planner.
#include "engine/core/error.h"
#include "engine/io/trace_file.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/expect_round_trip.h"
#include "tests/support/temporary_folder.h"

#include <functional>

using namespace fkv;
using namespace fkv::testing;
using trace::Rung;

namespace {

constexpr double kMiB = 1024.0 * 1024.0;

std::vector<std::int32_t> idsOf(const std::shared_ptr<const trace::Answer>& answer) {
    std::vector<std::int32_t> ids;
    for (const trace::AnswerToken& t : answer->tokens)
        ids.push_back(t.id);
    return ids;
}

/// A prompt of the demo model whose answers differ, and what it needs.
class Rungs : public ::testing::Test {
protected:
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        request.settings.generate = 8;
        session = openDemo();
        all = analyse(*session, request);
        need = session->fit(all->tokens(), request);
    }
    trace::RunPtr within(std::int64_t bytes) {
        request.memory.limitBytes = bytes;
        return analyse(*session, request);
    }
    std::string refusal(std::int64_t bytes) {
        try {
            within(bytes);
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::TooLarge);
            return e.what();
        }
        ADD_FAILURE() << "not refused";
        return {};
    }
    std::int64_t instrument() const { return need.instrument.total(); }
    std::int64_t full() const { return need.totalBytes(need.full); }
    std::int64_t fastkv() const { return need.totalBytes(need.fastkv); }

    run::Request request = requestFor(promptText("password.txt"));
    std::unique_ptr<run::Session> session;
    trace::RunPtr all;
    run::FitReport need;
};

/// Both sides against the instrument's: other orders of rows, and so the last bits.
void expectSameAnswers(const trace::Run& deployed, const trace::Run& looked) {
    EXPECT_EQ(idsOf(deployed.fastkvAnswer), idsOf(looked.fastkvAnswer));
    EXPECT_EQ(deployed.fastkv->survivors, looked.fastkv->survivors);
    EXPECT_EQ(deployed.fastkv->budgets, looked.fastkv->budgets);
    ASSERT_EQ(deployed.fastkv->logits.size(), looked.fastkv->logits.size());
    for (std::size_t i = 0; i < looked.fastkv->logits.size(); ++i)
        ASSERT_NEAR(deployed.fastkv->logits[i], looked.fastkv->logits[i], 2e-3F);
    EXPECT_TRUE(deployed.fastkv->standalone);
    EXPECT_TRUE(deployed.fastkv->late.empty());
}

TEST_F(Rungs, CheckpointsGoFirstAndNothingElseChanges) {
    EXPECT_EQ(all->rung, Rung::Everything);
    EXPECT_EQ(within(instrument())->rung, Rung::Everything);
    EXPECT_EQ(session->lastWork().fullRows, 0) << "what is held serves";
    const trace::RunPtr fewer = within(instrument() - 1);
    EXPECT_EQ(fewer->rung, Rung::FewerCheckpoints);
    EXPECT_EQ(session->lastWork().fullRows, 0) << "checkpoints are only let go of";
    EXPECT_EQ(fewer->counters.checkpointLayers.size(), 15U);
    EXPECT_NE(fewer->counters.givenUp.find("of every checkpoint all but the best"),
              std::string::npos);
    expectSameRun(*fewer, *all);
    const trace::RunPtr none = within(instrument() - need.instrument.checkpointBytes);
    EXPECT_EQ(none->rung, Rung::FewerCheckpoints);
    EXPECT_TRUE(none->counters.checkpointLayers.empty());
    expectSameRun(*none, *all);
}

TEST_F(Rungs, ThenNothingIsLookedIntoButBothSidesRun) {
    const trace::RunPtr run = within(full());
    EXPECT_EQ(run->rung, Rung::Deployed);
    EXPECT_EQ(run->full, nullptr);
    EXPECT_NE(run->counters.givenUp.find("capture"), std::string::npos) << run->counters.givenUp;
    EXPECT_EQ(idsOf(run->fullAnswer), idsOf(all->fullAnswer));
    expectSameAnswers(*run, *all);
    ASSERT_EQ(run->fidelity->kl.size(), all->fidelity->kl.size());
    for (std::size_t i = 0; i < run->fidelity->kl.size(); ++i)
        EXPECT_NEAR(run->fidelity->kl[i], all->fidelity->kl[i], 1e-2) << i;
    EXPECT_EQ(run->fidelity->sameTop1, all->fidelity->sameTop1);
    EXPECT_GT(run->timing.fullPrefillMs.value_or(0.0), 0.0);
    EXPECT_GT(run->timing.fastKvPrefillMs.value_or(0.0), 0.0);
    EXPECT_EQ(run->timing.fastKvState, trace::State::Exact);
    EXPECT_GT(run->counters.standaloneFullPeakBytes, run->counters.standaloneFastKvPeakBytes);
    // The estimate is exact but for the logits of a step along the answer.
    EXPECT_NEAR(static_cast<double>(run->counters.peakBytes), static_cast<double>(full()), kMiB);
    EXPECT_LT(static_cast<double>(run->counters.heldBytes),
              static_cast<double>(need.weightBytes + need.fastkv.activationBytes) + kMiB);
}

TEST_F(Rungs, FullContextIsRunOncePerPrompt) {
    request.settings.generate = 4;
    const trace::RunPtr before = within(full());
    request.settings.kv = trace::Amount::ofRate(0.3);
    const trace::RunPtr after = within(full());
    EXPECT_EQ(session->lastWork().fullRows, 0);
    EXPECT_EQ(after->fullAnswer, before->fullAnswer);
    EXPECT_GT(after->fastkv->budgets.kvBytes, before->fastkv->budgets.kvBytes);
    EXPECT_EQ(after->timing.fullPrefillMs, before->timing.fullPrefillMs);
    request.settings.generate = 3;
    EXPECT_EQ(within(full())->fullAnswer->tokens.size(), 3U);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    EXPECT_EQ(within(full())->fidelity->kl.size(), 3U);
    request.settings.generate = 5;
    within(full());
    EXPECT_EQ(session->lastWork().fullRows, before->tokens() * 16) << "a longer answer needs it";
}

TEST_F(Rungs, ThenFullContextGoes) {
    const trace::RunPtr run = within(full() - 1);
    EXPECT_EQ(run->rung, Rung::FastKvAlone);
    EXPECT_EQ(run->full, nullptr);
    EXPECT_EQ(run->fullAnswer, nullptr);
    EXPECT_EQ(run->fidelity, nullptr);
    EXPECT_FALSE(run->hasReference());
    EXPECT_NE(run->counters.givenUp.find("full context"), std::string::npos);
    expectSameAnswers(*run, *all);
    EXPECT_FALSE(run->timing.fullPrefillMs);
    EXPECT_EQ(run->counters.standaloneFullPeakBytes, 0);
    EXPECT_EQ(within(fastkv())->rung, Rung::FastKvAlone);
}

TEST_F(Rungs, WhatCannotFitIsRefusedAndWhatIsHeldStays) {
    const std::string why = refusal(fastkv() - 1);
    EXPECT_NE(why.find("tokens do not fit: FastKV alone needs"), std::string::npos) << why;
    EXPECT_NE(why.find("at most"), std::string::npos) << why;
    EXPECT_NE(refusal(1 << 20).find("the weights alone"), std::string::npos);
    expectSameRun(*within(0), *all);
    EXPECT_EQ(session->lastWork().fullRows, 0);
}

TEST_F(Rungs, EveryRungLeadsBackToTheFirst) {
    for (const std::int64_t bytes : {instrument() - 1, full(), full() - 1}) {
        within(bytes);
        expectSameRun(*within(0), *all);
    }
}

TEST_F(Rungs, MeasuringKeepsWithinTheRung) {
    Recorder recorder;
    const auto measured = [&](std::int64_t bytes) {
        request.memory.limitBytes = bytes;
        return session->measure(request, 2, recorder, {});
    };
    // The instrument fits, but not two more prompts beside it: it goes, and its planes stay.
    const trace::RunPtr first = measured(instrument());
    EXPECT_EQ(first->rung, Rung::Everything);
    ASSERT_NE(first->full, nullptr);
    EXPECT_EQ(first->timing.standaloneFullMs.size(), 2U);
    EXPECT_EQ(first->timing.standaloneFastKvMs.size(), 2U);
    EXPECT_FALSE(first->fastkv->late.empty());
    const trace::RunPtr second = measured(full());
    EXPECT_EQ(second->rung, Rung::Deployed);
    EXPECT_EQ(second->timing.standaloneFullMs.size(), 2U);
    EXPECT_EQ(second->timing.standaloneFastKvMs.size(), 2U);
    const trace::RunPtr third = measured(full() - 1);
    EXPECT_TRUE(third->timing.standaloneFullMs.empty());
    EXPECT_EQ(third->timing.standaloneFastKvMs.size(), 2U);
    EXPECT_LT(recorder.stages.back().fraction, 1.0);
}

TEST_F(Rungs, ARunWithoutItsFullPassIsSavedAndOpened) {
    const TemporaryFolder folder;
    for (const std::int64_t bytes : {instrument() - 1, full(), full() - 1}) {
        const trace::RunPtr run = within(bytes);
        io::saveTrace(*run, folder / "a");
        expectRoundTrip(*io::openTrace(folder / "a"), *run);
    }
}

/// Stops at a stage.
class StopAt : public run::Observer {
public:
    explicit StopAt(std::string stage) : m_stage(std::move(stage)) {}
    void progress(const run::Progress& p) override {
        if (p.stage == m_stage) stop.request_stop();
    }
    std::stop_source stop;

private:
    std::string m_stage;
};

TEST_F(Rungs, TheDeployedPathTellsEveryLayerOfBothSides) {
    Recorder recorder;
    request.memory.limitBytes = full();
    session->analyse(request, recorder, {});
    int layers = 0;
    double fraction = 0.0;
    for (const run::Progress& p : recorder.stages) {
        layers += p.stage.starts_with("Prefill, ") ? 1 : 0;
        EXPECT_GE(p.fraction, fraction) << p.stage;
        fraction = p.fraction;
    }
    EXPECT_EQ(layers, 2 * all->model.layers);
    EXPECT_DOUBLE_EQ(fraction, 1.0);
}

TEST_F(Rungs, AStopOnTheDeployedPathLeavesWhatIsDone) {
    request.memory.limitBytes = full();
    StopAt observer("Prefill, FastKV, layer 3 of 16");
    EXPECT_THROW(session->analyse(request, observer, observer.stop.get_token()), Error);
    const trace::RunPtr run = within(full());
    EXPECT_EQ(session->lastWork().fullRows, 0) << "full context was done";
    EXPECT_EQ(run->fidelity->kl.size(), run->fullAnswer->tokens.size());
}

} // namespace
