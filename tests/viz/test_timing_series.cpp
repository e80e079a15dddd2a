// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/select/fate.h"
#include "tests/support/synthetic_run.h"
#include "viz/series/timeline_rows.h"
#include "viz/series/timing_bars.h"
#include "viz/series/work_model.h"

#include <QtTest>
#include <cmath>
#include <numeric>

using namespace fkv;
using namespace fkv::viz;
using trace::PassKind;
using trace::Span;
using trace::State;
using trace::Zone;
using trace::ZoneGroup;

namespace {

bool near(double a, double b, double share = 1e-6) {
    return std::fabs(a - b) <= share * std::fabs(b);
}

/// The shape of LLaMA-3.1-8B.
trace::ModelInfo llama8b() {
    trace::ModelInfo model;
    model.layers = 32;
    model.hidden = 4096;
    model.intermediate = 14336;
    model.queryHeads = 32;
    model.kvHeads = 8;
    model.headDim = 128;
    return model;
}

trace::Budgets budgetsOf(int layers, std::int64_t tokens, int t, std::int64_t propagated) {
    trace::Budgets budgets;
    budgets.tokens = tokens;
    budgets.tspLayer = t;
    budgets.tspOn = propagated < tokens;
    budgets.propagated = propagated;
    budgets.layers.resize(static_cast<std::size_t>(layers));
    return budgets;
}

double group(const GroupMs& ms, ZoneGroup g) {
    return ms[static_cast<std::size_t>(g)];
}

trace::FatePtr movedTo(const trace::RunPtr& run, int layer, double rate) {
    trace::Settings settings = run->fastkv->settings;
    settings.tspLayer = layer;
    settings.tsp = trace::Amount::ofRate(rate);
    return select::computeFate(*run, settings);
}

} // namespace

class TestTimingSeries : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void kernelsFollowTheLaneOfTheirSpan() {
        const std::vector<Span> spans{{0, 100, Zone::Mlp, PassKind::Full, 2, 0, 9},
                                      {50, 80, Zone::Ranks, PassKind::Full, 2, 1, 9},
                                      {100, 200, Zone::Pass, PassKind::Full, -1, 0, 9}};
        // Overlapping in a lane, and not in the order of time.
        const trace::KernelList list{
            {"a", "b"}, {{40, 90, 0, 0}, {10, 50, 0, 1}, {55, 60, 1, 0}}, {}};
        const Timeline timeline = makeTimeline(spans, list);
        QCOMPARE(timeline.kernels.size(), std::size_t{3});
        QCOMPARE(timeline.lanes.size(), std::size_t{2});
        QCOMPARE(timeline.lanes[0].kernels, (std::vector<std::uint32_t>{1, 0}));
        QCOMPARE(timeline.lanes[1].kernels, (std::vector<std::uint32_t>{2}));
        QCOMPARE(timeline.kernels[1].endNs, std::int64_t{50});
        QCOMPARE(timeline.kernels[0].beginNs, std::int64_t{50}); // where the one before ends
        QCOMPARE(timeline.kernels[0].endNs, std::int64_t{90});
        QCOMPARE(timeline.kernels[2].zone, Zone::Ranks);
        const auto blocks =
            timelineBlocks(timeline.kernels, timeline.lanes[0].kernels, {0, 100}, 100.0);
        QCOMPARE(blocks.size(), std::size_t{2});
        QCOMPARE(blocks[1].x1, 90.0);
    }
    void operationsOfAKnownShape() {
        // What is published for this shape at 131,072 tokens.
        const LayerFlop full = passFlop(llama8b(), fullRows(32, 131072));
        QVERIFY(near(full.linear(), 1830e12, 1e-3));
        QVERIFY(near(full.attention, 4504e12, 1e-3));
        const LayerFlop fast = passFlop(llama8b(), composedRows(budgetsOf(32, 131072, 15, 26214)));
        QVERIFY(near(fast.linear() / full.linear(), 0.60, 1e-2));
        QVERIFY(near(fast.attention / full.attention, 0.52, 1e-2));
    }
    void attentionCountsCausalPairs() {
        // Rows 1, 2, 3 of keys: six pairs, each two products of headDim for every head.
        const LayerFlop flop = passFlop(llama8b(), fullRows(1, 3));
        QCOMPARE(flop.attention, 4.0 * 32 * 128 * 6);
    }
    void theDeployedPathSkipsRowsThatNobodyReads() {
        trace::Budgets budgets = budgetsOf(4, 100, 1, 20);
        budgets.window = 8;
        std::vector<std::int32_t> survivors(20);
        std::iota(survivors.begin(), survivors.end(), 80);
        const PassRows rows = standaloneRows(budgets, survivors);
        QCOMPARE(rows[0].queryRows, 100.0);
        QCOMPARE(rows[1].queryRows, 20.0);
        QCOMPARE(rows[1].kvRows, 100.0);
        QCOMPARE(rows[1].pairs, 20.0 * (81 + 100) / 2);
        QCOMPARE(rows[2].queryRows, 20.0);
        QCOMPARE(rows[2].pairs, 210.0);
        QCOMPARE(rows[3].queryRows, 8.0);
        QCOMPARE(rows[3].kvRows, 20.0);
        QCOMPARE(rows[3].pairs, 8.0 * (13 + 20) / 2);
        const PassRows full = standaloneFullRows(budgets);
        QCOMPARE(full[2].pairs, 5050.0);
        QCOMPARE(full[3].queryRows, 8.0);
        QCOMPARE(full[3].kvRows, 100.0);
        // Without TSP both do the same.
        const PassRows off = standaloneRows(budgetsOf(4, 100, 1, 100), {});
        QCOMPARE(off[1].queryRows, 100.0);
        QCOMPARE(off[3].kvRows, 100.0);
    }
    void ratesGiveTheMeasuredTimeBack() {
        const trace::RunPtr run = testing::makeRun({});
        const auto rates = zoneRates(*run);
        QVERIFY(rates.has_value());
        QVERIFY(near(totalCostAt(*rates, run->model, fullRows(16, 1000), false),
                     *run->timing.fullPrefillMs));
        // MLP width is not known here: rates need none.
        QCOMPARE(run->model.intermediate, 0);
        const auto half = costAt(*rates, run->model, fullRows(16, 500));
        const auto whole = costAt(*rates, run->model, fullRows(16, 1000));
        QVERIFY(near(group(half[3], ZoneGroup::Mlp), group(whole[3], ZoneGroup::Mlp) / 2));
        QVERIFY(near(group(half[3], ZoneGroup::Attention),
                     group(whole[3], ZoneGroup::Attention) * 500 * 501 / 1000 / 1001));
        QVERIFY(!zoneRates(trace::Run{}).has_value());
    }
    void ratesOfAnEditedPromptKnowWhichRowsRan() {
        // The last 100 of 1000 rows, against all keys: as dear a row as any other.
        trace::Run run;
        run.model.layers = 1;
        run.prompt = std::make_shared<trace::Prompt>(
            trace::Prompt{{}, std::vector<std::int32_t>(1000), {}, {}, {}});
        run.timing.spans = {{0, 1000, Zone::Attention, PassKind::Full, 0, 0, 100},
                            {1000, 2000, Zone::OutProj, PassKind::Full, 0, 0, 100}};
        const auto rates = zoneRates(run);
        QVERIFY(near(rates->out, 1e-3 / 100));
        QVERIFY(near(rates->attention, 1e-3 / (500500.0 - 405450.0)));
    }
    void barsAreSpansInTheirFixedOrder() {
        const trace::RunPtr run = testing::makeRun({});
        const TimingBars bars = timingBars(*run, *testing::makeFate(run));
        QCOMPARE(bars.layers.size(), std::size_t{16});
        QVERIFY(near(group(bars.layers[0].full, ZoneGroup::Attention), 40.0));
        QVERIFY(near(group(bars.layers[0].full, ZoneGroup::Projections), 18.0));
        QCOMPARE(group(bars.layers[0].full, ZoneGroup::Selection), 0.0);
        QVERIFY(near(group(bars.layers[0].fastKv, ZoneGroup::Selection), 5.0));
        QVERIFY(near(sumOf(bars.layers[0].full), 90.0));
        QVERIFY(near(sumOf(bars.layers[7].fastKv), 95.0));
        QVERIFY(near(sumOf(bars.layers[8].fastKv), 13.3));
        QVERIFY(bars.layers[8].fastKvState == State::Exact);
        QVERIFY(near(bars.mostMs, 95.0));
        QCOMPARE(kBarStack.back(), ZoneGroup::Selection);
    }
    void gatheringTheCacheBelongsToItsLayer() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        const trace::FatePtr fate = testing::makeFate(run);
        const TimingBars was = timingBars(*run, *fate);
        for (const int layer : {2, 9})
            run->timing.spans.push_back({0, 2'000'000, Zone::Gather, PassKind::FastKv,
                                         static_cast<std::int16_t>(layer), 0, 100});
        const TimingBars bars = timingBars(*run, *fate);
        for (const std::size_t layer : {2U, 9U})
            QVERIFY(near(sumOf(bars.layers[layer].fastKv), sumOf(was.layers[layer].fastKv) + 2.0));
        QCOMPARE(sumOf(bars.layers[2].full), sumOf(was.layers[2].full));
        // An early layer that only gathered is no measure of what a late one costs.
        const TimingBars moved = timingBars(*run, *movedTo(run, 0, 0.2));
        QVERIFY(sumOf(moved.layers[3].fastKv) > 13.0);
    }
    void workOutsideOfLayersIsCountedOnce() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        const trace::FatePtr fate = testing::makeFate(run);
        const TimingBars was = timingBars(*run, *fate);
        run->timing.spans.push_back({0, 4'000'000, Zone::Embed, PassKind::Full, -1, 0, 1000});
        run->timing.spans.push_back({0, 3'000'000, Zone::Head, PassKind::Full, -1, 0, 1});
        run->timing.spans.push_back({0, 3'500'000, Zone::Head, PassKind::FastKv, -1, 0, 1});
        run->timing.spans.push_back({0, 1'000'000, Zone::Select, PassKind::FastKv, -1, 0, 1000});
        const TimingBars bars = timingBars(*run, *fate);
        QVERIFY(near(sumOf(bars.full), sumOf(was.full) + 7.0));
        QVERIFY(near(sumOf(bars.fastKv), sumOf(was.fastKv) + 4.0 + 3.5 + 1.0));
    }
    void captureStaysOutOfTheBars() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        const TimingBars before = timingBars(*run, *testing::makeFate(run));
        run->timing.spans.push_back({0, 5'000'000, Zone::Capture, PassKind::Full, 3, 0, 1000});
        run->timing.spans.push_back({0, 2'000'000, Zone::Checkpoint, PassKind::Full, -1, 0, 1000});
        run->timing.spans.push_back({0, 900'000'000, Zone::Layer, PassKind::Full, 3, 0, 1000});
        const TimingBars after = timingBars(*run, *testing::makeFate(run));
        QCOMPARE(sumOf(after.layers[3].full), sumOf(before.layers[3].full));
        QCOMPARE(sumOf(after.full), sumOf(before.full));
        QVERIFY(near(after.captureMs, 7.0));
    }
    void anotherRateIsAPreviewScaledFromTheRerun() {
        const trace::RunPtr run = testing::makeRun({});
        const TimingBars was = timingBars(*run, *testing::makeFate(run));
        const TimingBars bars = timingBars(*run, *movedTo(run, 7, 0.4));
        QVERIFY(bars.layers[8].fastKvState == State::Preview);
        QVERIFY(bars.layers[7].fastKvState == State::Exact);
        QVERIFY(near(group(bars.layers[8].fastKv, ZoneGroup::Mlp),
                     2.0 * group(was.layers[8].fastKv, ZoneGroup::Mlp)));
        QVERIFY(near(group(bars.layers[8].fastKv, ZoneGroup::Attention),
                     group(was.layers[8].fastKv, ZoneGroup::Attention) * 400 * 401 / 200 / 201));
        // A layer that the rerun did not reach costs what those did that it reached.
        const TimingBars earlier = timingBars(*run, *movedTo(run, 3, 0.2));
        QVERIFY(near(sumOf(earlier.layers[5].fastKv), sumOf(was.layers[8].fastKv)));
        QVERIFY(earlier.layers[5].fastKvState == State::Preview);
        // A KV budget changes no prefill.
        trace::Settings kv = run->fastkv->settings;
        kv.kv = trace::Amount::ofRate(0.5);
        QVERIFY(timingBars(*run, *select::computeFate(*run, kv)).layers[8].fastKvState ==
                State::Exact);
    }
    void beforeTheFirstRerunTheFullPassIsScaled() {
        testing::SyntheticSpec spec;
        spec.rerun = false;
        const trace::RunPtr run = testing::makeRun(spec);
        const trace::FatePtr fate = testing::makeFate(run);
        const TimingBars bars = timingBars(*run, *fate);
        QVERIFY(bars.layers[9].fastKvState == State::Preview);
        const double share = static_cast<double>(fate->budgets.propagated) / 1000.0;
        QVERIFY(near(group(bars.layers[9].fastKv, ZoneGroup::Mlp), 30.0 * share));
        QVERIFY(timingTotals(*run, *fate, bars).fastKvState == State::Preview);
    }
    void anEditedPromptShowsWholeLayersAsPreview() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        for (Span& span : run->timing.spans)
            if (span.pass == PassKind::Full) span.tokens = 100;
        const TimingBars bars = timingBars(*run, *testing::makeFate(run));
        QVERIFY(bars.layers[2].fullState == State::Preview);
        QVERIFY(near(group(bars.layers[2].full, ZoneGroup::Mlp), 300.0));
    }
    void totalsCompareWithoutCapture() {
        const trace::RunPtr run = testing::makeRun({});
        const trace::FatePtr fate = testing::makeFate(run);
        const TimingTotals totals = timingTotals(*run, *fate, timingBars(*run, *fate));
        QCOMPARE(*totals.fullMs, *run->timing.fullPrefillMs);
        QVERIFY(near(*totals.captureMs, 1.03 * 1520.0 - 1440.0));
        QVERIFY(totals.fastKvState == State::Composed);
        QVERIFY(totals.composed.has_value());
        QVERIFY(near(totals.composed->ratio, *totals.fullMs / *totals.fastKvMs));
        // Work at these rates: attention 40 of 95, all else grows with rows; T = 200 of 1000.
        const double late = (40.0 * 200 * 201 / 1000 / 1001 + 55.0 * 0.2) / 95.0;
        QVERIFY(near(*totals.composed->bound, 16.0 * 90.0 / (95.0 * (8.0 + 8.0 * late))));
        QVERIFY(!totals.standalone.has_value());
        QCOMPARE(totals.standaloneFull.n, 0);
    }
    void aRatioAboveItsBoundIsSuspicious() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        const trace::FatePtr fate = testing::makeFate(run);
        const auto speedup = [&] {
            return *timingTotals(*run, *fate, timingBars(*run, *fate)).composed;
        };
        QVERIFY(!speedup().suspicious());
        run->timing.fastKvPrefillMs = *run->timing.fullPrefillMs / (*speedup().bound * 1.1);
        QVERIFY(speedup().suspicious());
        run->timing.fastKvPrefillMs = *run->timing.fullPrefillMs / (*speedup().bound * 1.01);
        QVERIFY(!speedup().suspicious());
    }
    void measuredTotalsHaveMedianAndWhisker() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        run->timing.standaloneFullMs = {1500, 1480, 1600, 1490, 1510};
        run->timing.standaloneFastKvMs = {900, 850};
        const trace::FatePtr fate = testing::makeFate(run);
        const TimingTotals totals = timingTotals(*run, *fate, timingBars(*run, *fate));
        QCOMPARE(totals.standaloneFull.n, 5);
        QCOMPARE(totals.standaloneFull.median, 1500.0);
        QCOMPARE(totals.standaloneFull.least, 1480.0);
        QCOMPARE(totals.standaloneFull.most, 1600.0);
        QCOMPARE(totals.standaloneFastKv.median, 875.0);
        QVERIFY(near(totals.standalone->ratio, 1500.0 / 875.0));
        QVERIFY(totals.standalone->bound.has_value());
        // Other settings were not measured.
        const trace::FatePtr moved = movedTo(run, 7, 0.4);
        QCOMPARE(timingTotals(*run, *moved, timingBars(*run, *moved)).standaloneFastKv.n, 0);
    }
    void lanesAreInOrderAndLayersApart() {
        const std::vector<Span> spans{{50, 60, Zone::Mlp, PassKind::FastKv, 1, 0, 5},
                                      {0, 30, Zone::Layer, PassKind::Full, 0, 0, 9},
                                      {20, 30, Zone::Mlp, PassKind::Full, 0, 0, 9},
                                      {0, 20, Zone::Attention, PassKind::Full, 0, 0, 9},
                                      {0, 30, Zone::Pass, PassKind::Full, -1, 0, 9},
                                      {0, 9, Zone::Mlp, PassKind::Full, 0, 1, 9}};
        const Timeline timeline = makeTimeline(spans);
        QCOMPARE(timeline.lanes.size(), std::size_t{3});
        QCOMPARE(timeline.lanes[0].zones, (std::vector<std::uint32_t>{3, 2}));
        QCOMPARE(timeline.lanes[0].enclosing, (std::vector<std::uint32_t>{1}));
        QCOMPARE(timeline.lanes[1].stream, 1);
        QCOMPARE(timeline.lanes[0].layers, (std::vector<TimeRange>{{0, 30}}));
        QCOMPARE(timeline.lanes[2].layers, (std::vector<TimeRange>{{}, {50, 60}}));
        QVERIFY(timeline.lanes[2].pass == PassKind::FastKv);
        QCOMPARE(timeline.all, (TimeRange{0, 60}));
        QVERIFY(makeTimeline({}).lanes.empty());
        const std::vector<Span> decode{{0, 5, Zone::Pass, PassKind::DecodeFull, -1, 0, 1},
                                       {5, 6, Zone::Sample, PassKind::DecodeFull, -1, 0, 1}};
        QCOMPARE(makeTimeline(decode).lanes[0].enclosing, (std::vector<std::uint32_t>{0}));
    }
    void narrowSpansFoldWithTheirCount() {
        std::vector<Span> spans;
        for (int i = 0; i < 100; ++i)
            spans.push_back({i, i + 1, Zone::Rope, PassKind::Full, 0, 0, 1});
        spans.push_back({100, 500, Zone::Mlp, PassKind::Full, 0, 0, 1});
        spans.push_back({900, 901, Zone::Norm, PassKind::Full, 0, 0, 1});
        const Timeline timeline = makeTimeline(spans);
        // A tenth of a pixel each.
        auto blocks = timelineBlocks(spans, timeline.lanes[0].zones, {0, 1000}, 100.0);
        QCOMPARE(blocks.size(), std::size_t{3});
        QVERIFY(blocks[0].folded);
        QCOMPARE(blocks[0].count, 100);
        QCOMPARE(blocks[0].x0, 0.0);
        QCOMPARE(blocks[0].x1, 10.0);
        QVERIFY(!blocks[1].folded);
        QCOMPARE(blocks[1].span, 100U);
        QCOMPARE(blocks[2].count, 1);
        QVERIFY(blocks[2].folded);
        // No span is lost, whatever the zoom.
        for (const double width : {7.0, 100.0, 333.0, 5000.0}) {
            int count = 0;
            for (const TimelineBlock& b :
                 timelineBlocks(spans, timeline.lanes[0].zones, {0, 1000}, width))
                count += b.count;
            QCOMPARE(count, 102);
        }
        // At a pixel each they stand alone, and what is outside is not there.
        blocks = timelineBlocks(spans, timeline.lanes[0].zones, {10, 60}, 50.0);
        QCOMPARE(blocks.size(), std::size_t{50});
        QCOMPARE(blocks.front().span, 10U);
        QVERIFY(!blocks.front().folded);
        QVERIFY(timelineBlocks(spans, timeline.lanes[0].zones, {0, 0}, 50.0).empty());
    }
    void timeGoesToPixelsAndBack() {
        const TimeRange range{1'000'000, 2'000'000};
        for (const double x : {0.0, 1.0, 499.5, 999.0})
            QVERIFY(std::fabs(timeToX(xToTime(x, range, 1000.0), range, 1000.0) - x) < 1e-3);
        QCOMPARE(timeToX(5, {0, 0}, 10.0), 0.0);
    }
    void zoomKeepsItsAnchorAndTheEnds() {
        const TimeRange all{0, 1'000'000};
        const TimeRange in = zoomTime(all, all, 250'000, 0.5);
        QCOMPARE(in, (TimeRange{125'000, 625'000}));
        QCOMPARE(zoomTime(in, all, 250'000, 10.0), all);
        QCOMPARE(zoomTime(in, all, 250'000, 1e-9).size(), 1000);
        QCOMPARE(panTime(in, all, 1'000'000), (TimeRange{500'000, 1'000'000}));
        QCOMPARE(panTime(in, all, -1'000'000), (TimeRange{0, 500'000}));
    }
};

QTEST_APPLESS_MAIN(TestTimingSeries)
#include "test_timing_series.moc"
