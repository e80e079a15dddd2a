// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/synthetic_run.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/stabilization.h"
#include "viz/series/tracked_span.h"

#include <QtTest>
#include <cmath>
#include <limits>

using namespace fkv;
using namespace fkv::viz;

namespace {

/// Two layers over six scored tokens: ranks as written.
trace::FullPass smallPass() {
    trace::FullPass full;
    full.tspRanks =
        trace::Plane<std::uint32_t>::own({5, 4, 3, 2, 1, 0, /**/ 0, 3, 1, 5, 2, 4}, 2, 6);
    return full;
}

MeasuredLayer measured(int layer, double kl, std::optional<bool> same) {
    MeasuredLayer m;
    m.settings.tspLayer = layer;
    m.firstKl = kl;
    m.sameAnswer = same;
    return m;
}

} // namespace

class TestStabilizationSeries : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aSpanHasBestMedianAndWorst() {
        const TrackedSpan span = trackSpan(smallPass(), {1, 5});
        QCOMPARE(span.scored, 4);
        QCOMPARE(span.layers.size(), std::size_t{2});
        QCOMPARE(span.layers[0], (TrackedLayer{1, 2, 4}));
        QCOMPARE(span.layers[1], (TrackedLayer{1, 2, 5}));
    }
    void oneTokenIsItsOwnMedian() {
        const TrackedSpan span = trackSpan(smallPass(), {3, 4});
        QCOMPARE(span.layers[0], (TrackedLayer{2, 2, 2}));
        QCOMPARE(span.layers[1], (TrackedLayer{5, 5, 5}));
    }
    void theWindowHasNoRank() {
        const TrackedSpan across = trackSpan(smallPass(), {4, 9});
        QCOMPARE(across.scored, 2);
        QCOMPARE(across.layers[1], (TrackedLayer{2, 2, 4}));
        const TrackedSpan inside = trackSpan(smallPass(), {6, 8});
        QCOMPARE(inside.scored, 0);
        QVERIFY(inside.layers.empty());
        QVERIFY(passingTokens(smallPass(), inside, 3).empty());
        QVERIFY(trackSpan({}, {0, 2}).layers.empty());
    }
    void passingCountsRanksBelowTheCut() {
        const trace::FullPass full = smallPass();
        const TrackedSpan span = trackSpan(full, {1, 5});
        QCOMPARE(passingTokens(full, span, 0), (std::vector<std::int64_t>{0, 0}));
        QCOMPARE(passingTokens(full, span, 3), (std::vector<std::int64_t>{2, 2}));
        QCOMPARE(passingTokens(full, span, 4), (std::vector<std::int64_t>{3, 3}));
        QCOMPARE(passingTokens(full, span, 6), (std::vector<std::int64_t>{4, 4}));
    }
    void passingIsWhatTheFateSays() {
        testing::SyntheticSpec spec;
        const trace::RunPtr run = testing::makeRun(spec);
        const trace::FatePtr fate = testing::makeFate(run);
        const TokenRange tokens{testing::needleBegin(spec) - 3, testing::needleBegin(spec) + 20};
        const TrackedSpan span = trackSpan(*run->full, tokens);
        const auto passing = passingTokens(*run->full, span, tspCut(fate->budgets));
        QCOMPARE(passing.at(static_cast<std::size_t>(fate->budgets.tspLayer)),
                 fate->passes.count(tokens.begin, tokens.end));
    }
    void topKFollowsTheCutOrIsFixed() {
        trace::Budgets budgets;
        budgets.tokens = 1000;
        budgets.window = 8;
        budgets.propagated = 200;
        QCOMPARE(resolveTopK({}, budgets, 992), 192);
        QCOMPARE(resolveTopK({TopK::Mode::Fixed, 512}, budgets, 992), 512);
        QCOMPARE(resolveTopK({TopK::Mode::Fixed, 5000}, budgets, 992), 992);
        budgets.propagated = 8;
        QCOMPARE(resolveTopK({}, budgets, 992), 1);
        QCOMPARE(resolveTopK({}, budgets, 0), 0);
    }
    void theExactTableServesItsOwnKAlone() {
        const trace::RunPtr run = testing::makeRun({});
        Derived derived;
        QVERIFY(!chooseTable(*run, derived, {200, false}).exact);
        QCOMPARE(chooseTable(*run, derived, {200, false}).table, &run->full->tables->all);
        QVERIFY(chooseTable(*run, derived, {1, false}).exact);
        trace::StabilizationTable exact;
        exact.k = {200};
        exact.layers = 16;
        derived.exactAtK = exact;
        const TableChoice at = chooseTable(*run, derived, {200, false});
        QVERIFY(at.exact);
        QCOMPARE(at.table, &*derived.exactAtK);
        QCOMPARE(at.scored, run->scored());
        QVERIFY(!chooseTable(*run, derived, {201, false}).exact);
        QVERIFY(!chooseTable(*run, derived, {200, true}).exact);
        QCOMPARE(chooseTable(*run, derived, {5000, true}).k, run->scored() - 64);
        QVERIFY(chooseTable(trace::Run{}, derived, {200, false}).table == nullptr);
    }
    void presentSettingsWinAndThenTheNewest() {
        trace::Settings present;
        present.tspLayer = 3;
        MeasuredLayer other = measured(5, 1.0, true), newer = measured(5, 2.0, true);
        other.settings.tsp = newer.settings.tsp = trace::Amount::ofRate(0.5);
        const MeasuredLayer now = measured(5, 3.0, true), first = measured(2, 4.0, true),
                            beyond = measured(9, 5.0, true);
        const auto dotsOf = [&](std::vector<MeasuredLayer> all) {
            return measuredDots(all, present, 8);
        };
        auto dots = dotsOf({other, newer, first, beyond});
        QCOMPARE(dots.size(), std::size_t{2});
        QCOMPARE(dots[0].layer, 2);
        QVERIFY(dots[0].current);
        QCOMPARE(dots[1].values.firstKl, 2.0);
        QVERIFY(!dots[1].current);
        dots = dotsOf({now, other});
        QCOMPARE(dots[0].values.firstKl, 3.0);
        QVERIFY(dots[0].current);
    }
    void aSuggestionNeedsMeasuredLayers() {
        const trace::Settings present;
        const auto suggest = [&](std::vector<MeasuredLayer> all) {
            return suggestLayer(measuredDots(all, present, 16), 0.05, 16);
        };
        QVERIFY(!suggest({}));
        QVERIFY(!suggest({measured(4, 0.001, std::nullopt)}));
        auto s = suggest({measured(3, 0.001, false), measured(5, 0.2, true),
                          measured(6, 0.04, true), measured(8, 0.01, true)});
        QVERIFY(s.has_value());
        QCOMPARE(s->layer, 6);
        QCOMPARE(s->tried, 4);
        QCOMPARE(s->possible, 15);
        MeasuredLayer drifting = measured(6, 0.04, true);
        drifting.meanKl = 0.3;
        QCOMPARE(suggest({drifting, measured(8, 0.01, true)})->layer, 8);
        QCOMPARE(suggest({drifting})->layer, -1);
        // Layers measured under another rate, and the last layer, tell nothing about this setting.
        MeasuredLayer elsewhere = measured(2, 0.001, true);
        elsewhere.settings.tsp = trace::Amount::ofRate(0.9);
        QVERIFY(!suggest({elsewhere, measured(15, 0.0, true)}));
    }
    void aslWaitsForItsLeastLayer() {
        constexpr double nan = std::numeric_limits<double>::quiet_NaN();
        std::vector<double> v(16, 0.8);
        v[0] = v[1] = v[2] = nan;
        v[5] = 0.1;
        QCOMPARE(aslLayer(v), -1);
        v[12] = 0.29;
        v[13] = 0.1;
        QCOMPARE(aslLayer(v), 12);
        QCOMPARE(aslLayer({}), -1);
    }
    void ticksAreRoundAndFew() {
        const auto unit = linearTicks(0.0, 1.0, 6);
        QCOMPARE(unit.size(), std::size_t{6});
        QVERIFY(std::fabs(unit[1] - 0.2) < 1e-12);
        for (int most = 1; most < 9; ++most)
            for (const double high : {0.013, 1.0, 7.3, 99.0, 12345.0}) {
                const auto ticks = linearTicks(0.0, high, most);
                QVERIFY(static_cast<int>(ticks.size()) <= most);
                QVERIFY(!ticks.empty() && ticks.front() == 0.0 &&
                        ticks.back() <= high * (1 + 1e-9));
            }
        QVERIFY(linearTicks(1.0, 1.0, 4).empty());
        QCOMPARE(decadeTicks(1e-4, 10.0, 6).size(), std::size_t{6});
        QCOMPARE(decadeTicks(1e-4, 10.0, 3).back(), 10.0);
        QVERIFY(decadeTicks(1e-5, 1.0, 3).size() <= 3);
        QVERIFY(decadeTicks(0.0, 1.0, 3).empty());
        QCOMPARE(roundUp(3.1), 5.0);
        QCOMPARE(roundUp(0.0), 1.0);
        QCOMPARE(labelStride(32, 320.0, 20.0), 2);
        QCOMPARE(labelStride(16, 320.0, 20.0), 1);
        QCOMPARE(labelStride(0, 320.0, 20.0), 1);
    }
};

QTEST_APPLESS_MAIN(TestStabilizationSeries)
#include "test_stabilization_series.moc"
