// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/select/budgets.h"
#include "engine/select/fate.h"
#include "engine/select/ranks.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace fkv;
using namespace fkv::trace;

namespace {

/// Few distinct scores, so that cuts fall on ties as they do after max pooling.
LayerPlanes randomPlanes(std::mt19937& random, std::size_t heads, std::size_t columns) {
    std::vector<float> scores(heads * columns);
    for (float& s : scores) s = static_cast<float>(random() % 97) * 0.25F;
    std::vector<std::uint32_t> ranks(scores.size());
    select::RankScratch scratch;
    for (std::size_t g = 0; g < heads; ++g)
        select::rankDescending(std::span(scores).subspan(g * columns, columns),
                               std::span(ranks).subspan(g * columns, columns), scratch);
    LayerPlanes planes;
    planes.ranks = Plane<std::uint32_t>::own(std::move(ranks), heads, columns);
    planes.levels = std::make_shared<const RankLevels>(planes.ranks);
    planes.saliency = Plane<float>::own(std::move(scores), heads, columns);
    return planes;
}

Run makeRun(std::int64_t tokens, int layers = 6, int heads = 3, unsigned seed = 1) {
    std::mt19937 random(seed);
    Run run;
    run.model.layers = layers;
    run.model.kvHeads = heads;
    run.model.queryHeads = heads * 2;
    run.model.headDim = 4;
    auto prompt = std::make_shared<Prompt>();
    prompt->ids.resize(static_cast<std::size_t>(tokens));
    run.prompt = prompt;
    auto full = std::make_shared<FullPass>();
    const auto m = static_cast<std::size_t>(std::max<std::int64_t>(tokens - 8, 0));
    std::vector<std::uint32_t> tsp(static_cast<std::size_t>(layers) * m);
    std::vector<float> score(m);
    select::RankScratch scratch;
    for (std::size_t l = 0; l < static_cast<std::size_t>(layers); ++l) {
        full->layers.push_back(randomPlanes(random, static_cast<std::size_t>(heads), m));
        select::sumRows(full->layers[l].saliency->values(), heads, score);
        select::rankDescending(score, std::span(tsp).subspan(l * m, m), scratch);
    }
    full->tspRanks = Plane<std::uint32_t>::own(std::move(tsp), static_cast<std::size_t>(layers), m);
    run.full = full;
    return run;
}

void addRerun(Run& run, const Settings& settings, const Fate& fate) {
    std::mt19937 random(99);
    auto pass = std::make_shared<FastKvPass>();
    pass->settings = settings;
    pass->budgets = fate.budgets;
    pass->survivors = fate.survivors;
    for (int l = fate.budgets.firstLate(); l < run.model.layers; ++l)
        pass->late.push_back(randomPlanes(random, static_cast<std::size_t>(run.model.kvHeads),
                                          fate.survivors.size() - 8));
    run.fastkv = pass;
}

/// `candidates` in the order of their scores, the best `count`, and the window; ascending.
std::vector<std::int32_t> bruteForce(std::vector<std::int32_t> candidates,
                                     const std::function<float(std::int32_t)>& score,
                                     std::int64_t count, std::int64_t tokens) {
    std::erase_if(candidates, [&](std::int32_t i) { return i >= tokens - 8; });
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](std::int32_t a, std::int32_t b) { return score(a) > score(b); });
    candidates.resize(std::min<std::size_t>(candidates.size(), static_cast<std::size_t>(count)));
    for (std::int64_t i = std::max<std::int64_t>(tokens - 8, 0); i < tokens; ++i)
        candidates.push_back(static_cast<std::int32_t>(i));
    std::sort(candidates.begin(), candidates.end());
    return candidates;
}

std::vector<std::int32_t> everyone(std::int64_t tokens) {
    std::vector<std::int32_t> all(static_cast<std::size_t>(tokens));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// Holds every head of every layer against a sort of what the fate may choose from.
void expectBruteForce(const Run& run, const Fate& fate) {
    const std::int64_t n = run.tokens();
    for (int l = 0; l < run.model.layers; ++l) {
        const LayerFate& layer = fate.layers[static_cast<std::size_t>(l)];
        const bool late = l >= fate.budgets.firstLate();
        const LayerPlanes& planes =
            layer.compacted
                ? run.fastkv->late[static_cast<std::size_t>(l - fate.budgets.firstLate())]
                : run.full->layers[static_cast<std::size_t>(l)];
        for (int g = 0; g < run.model.kvHeads; ++g) {
            const auto scores = planes.saliency->row(static_cast<std::size_t>(g));
            const auto score = [&](std::int32_t i) {
                const std::int32_t column =
                    layer.compacted ? fate.compactedIndex[static_cast<std::size_t>(i)] : i;
                return scores[static_cast<std::size_t>(column)];
            };
            const auto expected =
                bruteForce(late ? fate.survivors : everyone(n), score, layer.kept - 8, n);
            const auto kept = select::keptPositions(fate, l, g);
            ASSERT_EQ(static_cast<std::int64_t>(kept.size()), layer.kept) << l << ' ' << g;
            ASSERT_EQ(kept, expected) << l << ' ' << g;
        }
    }
}

Settings with(int layer, Amount tsp, Amount kv) {
    Settings s = select::defaultSettings(6);
    s.tspLayer = layer;
    s.tsp = tsp;
    s.kv = kv;
    return s;
}

}  // namespace

TEST(Fate, EqualsBruteForceBeforeAndAfterTheRerun) {
    ThreadPool pool(2);
    for (std::int64_t n : {9, 40, 72, 500, 1301})
        for (int t : {0, 2, 5})
            for (Amount tsp : {Amount::ofRate(0.2), Amount::ofRate(1.0), Amount::ofTokens(39)})
                for (Amount kv : {Amount::ofRate(0.1), Amount::ofRate(0.6), Amount::ofTokens(1),
                                  Amount::ofTokens(30), Amount::ofTokens(9999)}) {
                    trace::Run run = makeRun(n);
                    const Settings s = with(t, tsp, kv);
                    const FatePtr preview = select::computeFate(run, s);
                    const Budgets& b = preview->budgets;
                    ASSERT_EQ(b, select::computeBudgets(s, run.model, n));
                    const bool late = b.firstLate() < 6;
                    ASSERT_EQ(preview->state(), late ? State::Preview : State::Exact);
                    expectBruteForce(run, *preview);
                    ASSERT_EQ(preview->passes.count(), b.propagated);

                    addRerun(run, s, *preview);
                    const FatePtr exact = select::computeFate(run, s, &pool, preview);
                    ASSERT_EQ(exact->state(), State::Exact);
                    ASSERT_EQ(exact->survivors, preview->survivors);
                    expectBruteForce(run, *exact);
                }
}

TEST(Fate, TheTspSetIsTheBestByTheSumOverHeads) {
    const trace::Run run = makeRun(900);
    const FatePtr fate =
        select::computeFate(run, with(3, Amount::ofRate(0.3), Amount::ofRate(0.1)));
    std::vector<float> sum(892);
    select::sumRows(run.full->layers[3].saliency->values(), 3, sum);
    const auto expected = bruteForce(
        everyone(900), [&](std::int32_t i) { return sum[static_cast<std::size_t>(i)]; }, 270 - 8,
        900);
    EXPECT_EQ(fate->survivors, expected);
    for (std::size_t j = 0; j < expected.size(); ++j) {
        EXPECT_TRUE(fate->passes.has(expected[j]));
        EXPECT_EQ(fate->compactedIndex[static_cast<std::size_t>(expected[j])],
                  static_cast<std::int32_t>(j));
    }
    EXPECT_GE(fate->tspTied, 1);
}

TEST(Fate, ExactnessFollowsThePrefillOfTheRerun) {
    trace::Run run = makeRun(1000);
    const Settings s = with(2, Amount::ofRate(0.2), Amount::ofRate(0.1));
    addRerun(run, s, *select::computeFate(run, s));
    const auto state = [&](const Settings& other) {
        return select::computeFate(run, other)->state();
    };
    EXPECT_EQ(state(s), State::Exact);
    EXPECT_EQ(state(with(2, Amount::ofRate(0.2), Amount::ofTokens(77))), State::Exact);
    EXPECT_EQ(state(with(2, Amount::ofTokens(200), s.kv)), State::Exact);  // the same T
    EXPECT_EQ(state(with(2, Amount::ofRate(0.21), s.kv)), State::Preview);
    EXPECT_EQ(state(with(1, Amount::ofRate(0.2), s.kv)), State::Preview);
    EXPECT_EQ(state(with(2, Amount::ofRate(1.0), s.kv)), State::Exact);  // no late layer
    const FatePtr preview =
        select::computeFate(run, with(2, Amount::ofRate(0.3), Amount::ofRate(0.1)));
    for (int l = 0; l <= 2; ++l)
        EXPECT_EQ(preview->layers[static_cast<std::size_t>(l)].state, State::Exact);
}

TEST(Fate, APreviousFateChangesNothingButTheWork) {
    ThreadPool pool(2);
    trace::Run run = makeRun(700);
    FatePtr previous;
    for (double tsp : {0.2, 0.2, 0.3, 1.0, 0.3})
        for (double kv : {0.1, 0.1, 0.2})
            for (int t : {2, 4}) {
                const Settings s = with(t, Amount::ofRate(tsp), Amount::ofRate(kv));
                const FatePtr alone = select::computeFate(run, s);
                previous = select::computeFate(run, s, &pool, previous);
                EXPECT_EQ(previous->survivors, alone->survivors);
                EXPECT_EQ(previous->tspTied, alone->tspTied);
                for (std::size_t l = 0; l < 6; ++l) {
                    EXPECT_EQ(previous->layers[l].cut, alone->layers[l].cut);
                    EXPECT_EQ(previous->layers[l].tied, alone->layers[l].tied);
                }
            }
    // A fate of another run must not leak into this one.
    const trace::Run other = makeRun(700, 6, 3, 2);
    const FatePtr fate = select::computeFate(other, previous->settings, nullptr, previous);
    expectBruteForce(other, *fate);
}

TEST(Fate, AShortPromptIsKeptWhole) {
    for (std::int64_t n : {1, 8}) {
        const trace::Run run = makeRun(n);
        const FatePtr fate = select::computeFate(run, select::defaultSettings(6));
        EXPECT_EQ(fate->state(), State::Exact);
        EXPECT_EQ(select::keptPositions(*fate, 5, 2), everyone(n));
    }
}

TEST(Fate, ForeignScoringAndMissingPlanesAreRefused) {
    trace::Run run = makeRun(100);
    Settings s = select::defaultSettings(6);
    s.kernel = 5;
    EXPECT_THROW(select::computeFate(run, s), Error);
    run.full = nullptr;
    EXPECT_THROW(select::computeFate(run, select::defaultSettings(6)), Error);
}

TEST(Fate, KeepsUpWithASlider) {
    ThreadPool pool(2);
    trace::Run run = makeRun(131072, 32, 8);
    const auto timed = [&](const Settings& s, const FatePtr& previous, const char* what) {
        const auto begin = std::chrono::steady_clock::now();
        FatePtr fate = select::computeFate(run, s, &pool, previous);
        const double ms = std::chrono::duration<double, std::milli>(
                              std::chrono::steady_clock::now() - begin).count();
        RecordProperty(what, std::to_string(ms));
        EXPECT_LT(ms, 1000.0) << what;  // loose: a busy machine must not fail the suite
        return fate;
    };
    FatePtr fate = timed(with(15, Amount::ofRate(0.2), Amount::ofRate(0.1)), nullptr, "first");
    fate = timed(with(15, Amount::ofRate(0.25), Amount::ofRate(0.1)), fate, "tspMs");
    timed(with(15, Amount::ofRate(0.25), Amount::ofRate(0.12)), fate, "kvPreviewMs");
    addRerun(run, fate->settings, *fate);
    fate = timed(fate->settings, fate, "rerunMs");
    timed(with(15, Amount::ofRate(0.25), Amount::ofRate(0.12)), fate, "kvExactMs");
}
