// SPDX-License-Identifier: GPL-3.0-or-later
// The figures of a benchmark and their bounds: numbers first, then the table.
#include "tests/viz/timing_stage.h"

#include <QtTest>
#include <cmath>

using namespace fkv;
using namespace fkv::viz;
using trace::PassKind;
using trace::State;
using trace::Zone;
using Stage = testing::TimingStage;

namespace {

bool near(double a, double b) {
    return std::fabs(a - b) <= 1e-6 * std::fabs(b);
}

} // namespace

class TestTimingFigures : public QObject {
    Q_OBJECT
    QFont m_font = QApplication::font();

private Q_SLOTS:
    void cleanup() { QApplication::setFont(m_font); }

    void floorsNeedAMeasuredPeakAndKnownWidths() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        const trace::FatePtr fate = testing::makeFate(run);
        const auto totals = [&] { return timingTotals(*run, *fate, timingBars(*run, *fate)); };
        QVERIFY(!totals().floors.full && !decodeFloors(*run).full);
        run->timing.peaks = trace::DevicePeaks{1e12, 1e9};
        QVERIFY(!totals().floors.full);    // widths of the MLP are not known
        QVERIFY(!decodeFloors(*run).full); // nor what a token reads
        run->model.intermediate = 4096;
        run->model.stepWeightBytes = 25'000'000;
        const LayerFlop flop = passFlop(run->model, fullRows(16, 1000));
        QVERIFY(near(*totals().floors.full, (flop.linear() + flop.attention) / 1e9));
        const double standalone = *totals().floors.standaloneFastKv;
        QVERIFY(standalone < *totals().floors.fastKv);
        QVERIFY(*totals().floors.fastKv < *totals().floors.full);
        const trace::Budgets& budgets = run->fastkv->budgets;
        QVERIFY(near(*decodeFloors(*run).full,
                     (25e6 + static_cast<double>(budgets.fullKvBytes)) / 1e6));
        QVERIFY(
            near(*decodeFloors(*run).fastKv, (25e6 + static_cast<double>(budgets.kvBytes)) / 1e6));
    }
    void layersSayWhatTheirBoundIsMadeOf() {
        const trace::RunPtr run = testing::makeRun({});
        const trace::FatePtr fate = testing::makeFate(run);
        const auto rates = zoneRates(*run);
        double sum = rates->fixed;
        for (const LayerBars& layer : timingBars(*run, *fate).layers)
            for (const double ms : layer.least)
                sum += ms;
        QVERIFY(near(sum, totalCostAt(*rates, run->model, composedRows(fate->budgets), true)));
    }
    void figuresTakeBothSidesFromOneSource() {
        auto run = std::make_shared<trace::Run>(*testing::makeRun({}));
        Shown shown;
        const auto figures = [&](const trace::FatePtr& fate) {
            shown.setRun(run, fate);
            const TimingBars bars = timingBars(*run, *fate);
            return timingFigures(shown, bars, timingTotals(*run, *fate, bars));
        };
        const trace::FatePtr fate = testing::makeFate(run);
        auto rows = figures(fate);
        QCOMPARE(rows.size(), std::size_t{5});
        QVERIFY(rows[0].fastKv.state == State::Composed);
        QVERIFY(near(*rows[0].least(), *rows[0].full.value / *rows[0].bound));
        QVERIFY(*rows[1].fastKv.value > 0.0 && !rows[1].full.value);
        QCOMPARE(*rows[2].full.value, run->fullAnswer->msPerToken);
        QVERIFY(!rows[2].full.floor);
        QVERIFY(near(*rows[3].ratio(), static_cast<double>(fate->budgets.fullKvBytes) /
                                           static_cast<double>(fate->budgets.kvBytes)));
        QVERIFY(!rows[4].full.value && !rows[4].ratio());
        // One side alone is no pair.
        run->timing.standaloneFullMs = {1500};
        QCOMPARE(*figures(fate)[0].full.value, *run->timing.fullPrefillMs);
        run->timing.standaloneFastKvMs = {900, 850};
        run->timing.spans.push_back({0, 3'000'000, Zone::Ranks, PassKind::Standalone, 0, 0, 9});
        rows = figures(fate);
        QCOMPARE(*rows[0].full.value, 1500.0);
        QCOMPARE(*rows[0].fastKv.value, 875.0);
        QCOMPARE(rows[0].n, 1);
        QVERIFY(rows[0].fastKv.state == State::Exact);
        QCOMPARE(*rows[1].fastKv.value, 3.0);
        // Other settings: prefill is a preview, decoding waits, KV follows at once.
        trace::Settings settings = run->fastkv->settings;
        settings.tsp = trace::Amount::ofRate(0.4);
        rows = figures(select::computeFate(*run, settings));
        QVERIFY(rows[0].fastKv.state == State::Preview);
        QVERIFY(rows[1].fastKv.state == State::Preview);
        QVERIFY(rows[2].fastKv.state == State::Pending);
        QVERIFY(rows[3].fastKv.state == State::Exact);
    }

    void figuresAreThoseOfABenchmark() {
        auto run = testing::peakedRun();
        run->counters.standaloneFullPeakBytes = std::int64_t{20} << 30;
        run->counters.standaloneFastKvPeakBytes = std::int64_t{16} << 30;
        Stage s(run);
        s.panel.setView(TimingPanel::Figures);
        s.paint();
        for (const auto& label :
             {"prefill",           "1,440 ms",        "1.66×",           "≤ 1.67× by the work done",
              "76.0 % and ",       "TFLOP/s",         "selection",       "of FastKV’s prefill",
              "decoding, a token", "4.20 ms",         "2.90 ms",         "88.0 % and ",
              "GB/s copied",       "keys and values", "of full context", "peak memory",
              "20.0 GiB",          "16.0 GiB",        "bound by work",   "device’s peak"})
            QVERIFY2(testing::hasLabel(s.figures(), QString::fromUtf8(label)), label);
        QVERIFY(!testing::hasLabel(s.figures(), QStringLiteral("check")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("product")));
        QVERIFY(s.tip(s.figures(), {20, 20}).contains(QStringLiteral("Bracket")));
        const QStringList lines = s.panel.csv().trimmed().split(QLatin1Char('\n'));
        QCOMPARE(lines.size(), 1 + 5);
        QVERIFY(lines[1].startsWith(QStringLiteral("prefill,ms,1440,8")));
        QCOMPARE(lines[0].count(QLatin1Char(',')), lines[5].count(QLatin1Char(',')));
    }
    void figuresWithoutAMeasuredPeakSayOnlyWhatTheWorkBounds() {
        Stage s(testing::timedRun());
        s.panel.setView(TimingPanel::Figures);
        s.paint();
        QVERIFY(testing::hasLabel(s.figures(), QStringLiteral("≤ 1.67× by the work done")));
        for (const auto& label : {"TFLOP/s", "GB/s", "device’s peak"})
            QVERIFY2(!testing::hasLabel(s.figures(), QString::fromUtf8(label)), label);
        QVERIFY(testing::hasLabel(s.figures(), QStringLiteral("Measure fills it in")));
    }
    void figuresOfOtherSettingsArePreviewedOrDimmed() {
        Stage s(testing::peakedRun());
        s.panel.setView(TimingPanel::Figures);
        s.move(7, 0.4);
        s.paint();
        QVERIFY(testing::hasLabel(s.figures(), QStringLiteral("≈ ")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("dimmed: of TSP 7 · 20")));
    }
    void aRatioBeyondItsBoundIsToldInFiguresToo() {
        auto run = testing::peakedRun();
        run->timing.fastKvPrefillMs = 600.0;
        Stage s(run);
        s.panel.setView(TimingPanel::Figures);
        s.paint();
        QVERIFY(testing::hasLabel(s.figures(), QStringLiteral("check")));
        QVERIFY(!testing::hasLabel(s.figures(), QStringLiteral("check clocks")));
    }
    void aRatioBeyondItsBoundUnderAPowerCapPointsAtTheClocks() {
        auto run = testing::peakedRun();
        run->timing.fastKvPrefillMs = 600.0;
        trace::GpuSample capped;
        capped.limits = static_cast<std::uint32_t>(trace::ClockLimit::PowerCap);
        run->timing.gpu = {{}, capped};
        Stage s(run);
        s.panel.setView(TimingPanel::Figures);
        s.paint();
        QVERIFY(testing::hasLabel(s.figures(), QStringLiteral("check clocks")));
        s.panel.setView(TimingPanel::PerLayer);
        s.paint();
        QVERIFY(testing::hasLabel(s.layers(), QStringLiteral("check clocks")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("check clocks, more than the work")));
    }
};

QTEST_MAIN(TestTimingFigures)
#include "test_timing_figures.moc"
