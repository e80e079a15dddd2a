// SPDX-License-Identifier: Apache-2.0
// Whatever changes, the result has the bits that a fresh session gives, for as little work as can
// be.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"

#include <algorithm>
#include <random>

using namespace fkv;
using namespace fkv::testing;

namespace {

constexpr int kLayers = 16;

run::Request shortRequest(std::vector<std::int32_t> ids) {
    run::Request request = requestFor(std::move(ids));
    request.settings.generate = 5;
    return request;
}

trace::RunPtr fresh(const run::Request& request) {
    return analyse(*openDemo(), request);
}

TEST(Changes, KernelAndPoolingAreRescoredFromStoredSums) {
    const auto session = openDemo();
    run::Request request = shortRequest(randomIds(sized(700), 1));
    const trace::RunPtr first = analyse(*session, request);
    request.settings.kernel = 13;
    const trace::RunPtr wider = analyse(*session, request);
    EXPECT_TRUE(session->lastWork().rescored);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    EXPECT_EQ(wider->full->layers[3].sums, first->full->layers[3].sums) << "sums are shared";
    EXPECT_NE(toVector(wider->full->tspRanks), toVector(first->full->tspRanks));
    EXPECT_EQ(wider->fullAnswer, first->fullAnswer);
    expectSameRun(*wider, *fresh(request));
    request.settings.pooling = trace::Pooling::Average;
    expectSameRun(*analyse(*session, request), *fresh(request));
    EXPECT_TRUE(session->lastWork().rescored);
    request.settings.kernel = 1;
    expectSameRun(*analyse(*session, request), *fresh(request));
}

TEST(Changes, TheWindowIsScoredFromStoredQueriesAndKeys) {
    const auto session = openDemo();
    run::Request request = shortRequest(randomIds(sized(700), 2));
    analyse(*session, request);
    for (const int window : {1, 64, 31}) {
        request.settings.window = window;
        const trace::RunPtr run = analyse(*session, request);
        EXPECT_TRUE(session->lastWork().rescored);
        EXPECT_EQ(session->lastWork().fullRows, 0);
        EXPECT_EQ(run->scored(), static_cast<std::int64_t>(request.prompt.ids->size()) - window);
        expectSameRun(*run, *fresh(request));
    }
}

TEST(Changes, AnEditedPromptIsRunFromItsFirstChangedChunkOn) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    const auto session = openDemo();
    const std::vector<std::int32_t> ids = randomIds(1300, 3);
    run::Request request = shortRequest(ids);
    analyse(*session, request);

    struct Edit {
        const char* what;
        std::vector<std::int32_t> ids;
        std::int64_t rows;
    };
    std::vector<Edit> edits;
    auto edited = ids;
    edited[1290] = 77;
    edits.push_back({"a token near the end", edited, 1300 - 1024});
    edited.push_back(78);
    edits.push_back({"one more", edited, 1301 - 1024});
    edited.resize(1040); // the newest 64 queries reach into the chunk before
    edits.push_back({"shorter", edited, 1040 - 512});
    const auto more = randomIds(900, 4);
    edited.insert(edited.end(), more.begin(), more.end());
    edits.push_back({"much longer", edited, 1940 - 1024});
    edited[520] = 79;
    edits.push_back({"in the middle", edited, 1940 - 512});
    edited[2] = 80;
    edits.push_back({"at the front", edited, 1940});
    edited.resize(30);
    edits.push_back({"a few words", edited, 30});
    for (const Edit& edit : edits) {
        SCOPED_TRACE(edit.what);
        request.prompt.ids = edit.ids;
        const trace::RunPtr run = analyse(*session, request);
        EXPECT_EQ(session->lastWork().fullRows, edit.rows * kLayers);
        EXPECT_EQ(run->timing.reusedTokens, run->tokens() - edit.rows);
        EXPECT_EQ(run->timing.fullPrefillMs.has_value(), edit.rows == run->tokens());
        EXPECT_EQ(run->timing.fastKvPrefillMs.has_value(), edit.rows == run->tokens());
        expectSameRun(*run, *fresh(request));
    }
}

TEST(Changes, CheckpointsThatDoNotFitAreGivenUpAndNotMissed) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    run::Request request = shortRequest(randomIds(sized(700), 5));
    request.settings.tspLayer = 6;
    const trace::RunPtr all = fresh(request);
    ASSERT_EQ(all->counters.checkpointLayers.size(), 15U);
    EXPECT_EQ(all->counters.givenUp, "");
    const std::int64_t one = all->counters.checkpointBytes / 15;

    struct Case {
        std::int64_t budget;
        std::vector<std::int32_t> layers;
        int rerunLayers;
    };
    const auto session = openDemo();
    request.memory.checkpointBytes = 15 * one - 1;
    const std::int64_t best = analyse(*session, request)->counters.checkpointBytes / 15;
    EXPECT_LT(best, 2 * one / 5) << "tokens that pass at rates up to 0.3, and the newest";
    const std::vector<Case> cases{{15 * best, all->counters.checkpointLayers, 9},
                                  {15 * best - 1, {1, 3, 5, 7, 9, 11, 13}, 10},
                                  {3 * best, {3, 7, 11}, 12},
                                  {best, {7}, 16},
                                  {best - 1, {}, 16}};
    for (const Case& c : cases) {
        request.memory.checkpointBytes = c.budget;
        const trace::RunPtr run = analyse(*session, request);
        EXPECT_EQ(run->counters.checkpointLayers, c.layers);
        EXPECT_LE(run->counters.checkpointBytes, c.budget);
        EXPECT_NE(run->counters.givenUp, "");
        const trace::RunPtr again = fresh(request);
        EXPECT_EQ(again->counters.checkpointLayers, c.layers);
        EXPECT_EQ(again->counters.givenUp, run->counters.givenUp);
        expectSameRun(*run, *again);
        // The same rows whether they were stored or made again.
        expectSameRun(*run, *all);
    }
    // The rerun itself: another rate, with the checkpoint of layer 6 given up.
    for (const Case& c : cases) {
        request.memory.checkpointBytes = c.budget;
        request.settings.tsp = trace::Amount::ofRate(0.3);
        const auto thin = openDemo();
        const trace::RunPtr run = analyse(*thin, request);
        // Survivors that are not among the best of an earlier layer start in front of it.
        EXPECT_GE(thin->lastWork().rerunRows, run->fastkv->budgets.propagated * c.rerunLayers);
        EXPECT_LE(thin->lastWork().rerunRows, run->fastkv->budgets.propagated * kLayers);
        request.memory.checkpointBytes = 4LL << 30;
        expectSameRun(*run, *fresh(request));
    }
    // More is allowed again: checkpoints cannot be had without a pass.
    const trace::RunPtr back = analyse(*session, request);
    EXPECT_EQ(back->counters.checkpointLayers.size(), 15U);
    EXPECT_EQ(session->lastWork().fullRows, back->tokens() * kLayers);
}

TEST(Changes, AnswersFollowTheNumberOfTokensAsked) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    const auto session = openDemo();
    run::Request request = shortRequest(randomIds(sized(300), 6));
    int longest = 0;
    for (const int generate : {5, 2, 0, 1, 70, 66, 3}) {
        request.settings.generate = generate;
        const trace::RunPtr run = analyse(*session, request);
        // Fewer tokens are the front of what is there.
        EXPECT_EQ(session->lastWork().decoded > 0, generate > longest) << generate;
        longest = std::max(longest, generate);
        EXPECT_EQ(run->fullAnswer->tokens.size(), static_cast<std::size_t>(generate));
        EXPECT_EQ(run->fidelity->kl.size(),
                  std::max(static_cast<std::size_t>(generate), std::size_t{1}));
        expectSameRun(*run, *fresh(request));
    }
    EXPECT_EQ(session->lastWork().fullRows + session->lastWork().rerunRows, 0);
}

TEST(Changes, FidelityAndTablesComeWhenAskedFor) {
    const auto session = openDemo();
    run::Request request = shortRequest(randomIds(sized(300), 7));
    request.fidelity = request.tables = false;
    const trace::RunPtr bare = analyse(*session, request);
    EXPECT_EQ(bare->fidelity, nullptr);
    EXPECT_EQ(bare->full->tables, nullptr);
    request.fidelity = request.tables = true;
    const trace::RunPtr whole = analyse(*session, request);
    EXPECT_EQ(session->lastWork().decoded, 0);
    expectSameRun(*whole, *fresh(request));
}

TEST(Changes, TheExpectedAnswerIsNoReasonToRunAnything) {
    const auto session = openDemo();
    run::Request request = requestFor(std::string("The sea was grey."));
    analyse(*session, request);
    request.prompt.expected = "cold";
    EXPECT_EQ(analyse(*session, request)->prompt->expected, "cold");
    EXPECT_EQ(session->lastWork().fullRows + session->lastWork().decoded, 0);
}

TEST(Changes, AnyOrderOfChangesEndsWithTheBitsOfAFreshSession) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    const auto session = openDemo();
    std::mt19937 random(20260);
    const auto pick = [&](int count) {
        return static_cast<int>(random() % static_cast<unsigned>(count));
    };
    run::Request request = shortRequest(randomIds(sized(620), 8));
    for (int step = 0; step < 30; ++step) {
        for (int changes = 1 + pick(2); changes > 0; --changes) {
            trace::Settings& s = request.settings;
            switch (pick(8)) {
            case 0:
                s.kv = trace::Amount::ofRate(0.02 + 0.1 * pick(10));
                break;
            case 1:
                s.tsp = trace::Amount::ofRate(0.1 + 0.1 * pick(10));
                break;
            case 2:
                s.tspLayer = pick(kLayers);
                break;
            case 3:
                s.kernel = 1 + 2 * pick(5);
                break;
            case 4:
                s.window = 1 + pick(64);
                break;
            case 5:
                s.kv = trace::Amount::ofTokens(1 + pick(400));
                break;
            case 6:
                request.prompt.ids->at(static_cast<std::size_t>(pick(600))) = 300 + pick(5000);
                break;
            default:
                request.prompt.ids->resize(600 + static_cast<std::size_t>(pick(120)), 500);
            }
        }
        const trace::RunPtr run = analyse(*session, request);
        SCOPED_TRACE(step);
        if (step % 3 == 2) expectSameRun(*run, *fresh(request));
        if (HasFailure()) break;
    }
}

} // namespace
