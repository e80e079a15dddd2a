// SPDX-License-Identifier: Apache-2.0
// The deployed path against the composed one.
#include "tests/support/engine_fixture.h"

#include "engine/core/error.h"
#include "engine/run/loaded_model.h"
#include "engine/run/work.h"

#include <algorithm>
#include <cmath>

using namespace fkv;
using namespace fkv::testing;

namespace {

trace::RunPtr measure(run::Session& session, const run::Request& request, int repeats = 2) {
    Recorder recorder;
    return session.measure(request, repeats, recorder, {});
}

/// Scores that two sets of the best `count` disagree about are tied with the cut.
void expectSameUpToNearTies(const trace::LayerPlanes& a, const trace::LayerPlanes& b,
                            std::int64_t count) {
    for (std::size_t g = 0; g < a.ranks->rows(); ++g) {
        const auto scores = a.saliency->row(g);
        const auto ranks = a.ranks->row(g);
        float cut = 0.0F;
        for (std::size_t i = 0; i < ranks.size(); ++i)
            if (ranks[i] + 1 == count) cut = scores[i];
        for (std::size_t i = 0; i < ranks.size(); ++i) {
            if ((ranks[i] < count) == (b.ranks->row(g)[i] < count)) continue;
            EXPECT_LE(std::abs(scores[i] - cut), 1e-4F * std::abs(cut) + 1e-7F) << g << " " << i;
        }
    }
}

TEST(Measure, TheDeployedPathGivesTheSameSetsAndTimesBoth) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    const run::Request request = requestFor(promptText("password.txt"));
    const trace::RunPtr composed = analyse(demo(), request);
    const trace::RunPtr run = measure(demo(), request, 3);
    EXPECT_TRUE(run->fastkv->standalone);
    EXPECT_FALSE(composed->fastkv->standalone);
    EXPECT_EQ(run->timing.standaloneFullMs.size(), 3U);
    EXPECT_EQ(run->timing.standaloneFastKvMs.size(), 3U);
    for (const double ms : run->timing.standaloneFullMs)
        EXPECT_GT(ms, 0.0);
    EXPECT_EQ(run->fastkv->survivors, composed->fastkv->survivors);
    ASSERT_EQ(run->fastkv->late.size(), composed->fastkv->late.size());
    for (std::size_t l = 0; l < run->fastkv->late.size(); ++l)
        expectSameUpToNearTies(composed->fastkv->late[l], run->fastkv->late[l],
                               composed->fastkv->budgets.layers.back().kept - 8);
    ASSERT_EQ(run->fastkv->logits.size(), composed->fastkv->logits.size());
    for (std::size_t i = 0; i < run->fastkv->logits.size(); ++i)
        ASSERT_NEAR(run->fastkv->logits[i], composed->fastkv->logits[i], 2e-3F);
    EXPECT_LT(run->counters.standaloneFastKvPeakBytes, run->counters.standaloneFullPeakBytes);
    EXPECT_GT(run->counters.standaloneFastKvPeakBytes, run->model.weightBytes);
    EXPECT_EQ(run->timing.peaks, std::nullopt); // no floor on a CPU
    EXPECT_TRUE(
        std::any_of(run->timing.spans.begin(), run->timing.spans.end(),
                    [](const trace::Span& s) { return s.pass == trace::PassKind::Standalone; }));
    EXPECT_EQ(analyse(demo(), request)->fastkv->standalone, false);
}

TEST(Measure, RatesOfOneAreFullContextBitForBit) {
    run::Request request = requestFor(randomIds(sized(700), 2));
    request.settings.tsp = request.settings.kv = trace::Amount::ofRate(1.0);
    const trace::RunPtr run = measure(demo(), request, 1);
    EXPECT_EQ(run->fastkv->logits, run->full->logits);
    EXPECT_EQ(run->counters.standaloneFastKvPeakBytes, run->counters.standaloneFullPeakBytes);
}

TEST(Measure, EveryTspLayerAndOddBudgetsWork) {
    run::Request request = requestFor(randomIds(sized(530), 1));
    request.settings.generate = 1;
    for (const int layer : {0, 14, 15}) {
        request.settings.tspLayer = layer;
        for (const double rate : {0.001, 0.9}) {
            request.settings.kv = trace::Amount::ofRate(rate);
            const trace::RunPtr composed = analyse(demo(), request);
            const trace::RunPtr run = measure(demo(), request, 1);
            EXPECT_EQ(run->fastkv->survivors, composed->fastkv->survivors);
            for (std::size_t i = 0; i < run->fastkv->logits.size(); ++i)
                ASSERT_NEAR(run->fastkv->logits[i], composed->fastkv->logits[i], 2e-3F) << layer;
        }
    }
}

TEST(Measure, PeaksAreRatesOfWhatWasRun) {
    Recorder recorder;
    run::LoadedModel model(FKV_RESOURCES "/models/demo", {"cpu", 2}, recorder, {});
    const trace::DevicePeaks peaks = run::measurePeaks(model.backend(), 8 << 20);
    // Rates that no machine can miss: a slip of units is a thousand.
    EXPECT_GT(peaks.flopPerSecond, 1e8);
    EXPECT_LT(peaks.flopPerSecond, 1e14);
    EXPECT_GT(peaks.bytesPerSecond, 1e7);
    EXPECT_LT(peaks.bytesPerSecond, 1e14);
}

TEST(Measure, RefusesNoRepetition) {
    EXPECT_THROW(measure(demo(), requestFor("Hello"), 0), Error);
}

} // namespace
