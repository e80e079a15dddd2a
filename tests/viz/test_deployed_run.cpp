// SPDX-License-Identifier: GPL-3.0-or-later
// Panels over a run that the memory had no room to look into: answers, times and bytes are there,
// and what is not says why.
#include "tests/support/label_check.h"
#include "tests/support/view_fixture.h"
#include "viz/plots/answers_panel.h"
#include "viz/plots/answers_view.h"
#include "viz/plots/heads_panel.h"
#include "viz/plots/importance_panel.h"
#include "viz/plots/readouts_view.h"
#include "viz/plots/stabilization_panel.h"
#include "viz/plots/state_overlay.h"
#include "viz/plots/timing_layers.h"
#include "viz/plots/timing_panel.h"
#include "viz/series/timing_bars.h"
#include "viz/text/tokens_panel.h"

#include <QPicture>
#include <QTest>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;
using trace::Rung;

namespace {

const SyntheticSpec kSpec{.tokens = 1000, .layers = 16};

QString overlayOf(Panel& panel) {
    for (QWidget* child : panel.findChildren<QWidget*>())
        if (const auto* overlay = dynamic_cast<StateOverlay*>(child)) return overlay->message();
    return {};
}

std::vector<std::unique_ptr<Panel>> panelsOf(const ViewContext& context) {
    std::vector<std::unique_ptr<Panel>> panels;
    panels.push_back(std::make_unique<ImportancePanel>(context));
    panels.push_back(std::make_unique<StabilizationPanel>(context));
    panels.push_back(std::make_unique<HeadsPanel>(context));
    panels.push_back(std::make_unique<TimingPanel>(context));
    panels.push_back(std::make_unique<AnswersPanel>(context));
    panels.push_back(std::make_unique<TokensPanel>(context));
    return panels;
}

} // namespace

class TestDeployedRun : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void panelsSayWhatIsMissing_data();
    void panelsSayWhatIsMissing();
    void barsAreThoseOfBothSides();
    void figuresAreThoseOfTheDeployedPath();
    void answersAreComparedOnlyWithWhatIsThere();
    void bytesFollowTheSettings();
};

void TestDeployedRun::panelsSayWhatIsMissing_data() {
    QTest::addColumn<int>("rung");
    QTest::newRow("deployed") << static_cast<int>(Rung::Deployed);
    QTest::newRow("FastKV alone") << static_cast<int>(Rung::FastKvAlone);
}

void TestDeployedRun::panelsSayWhatIsMissing() {
    QFETCH(const int, rung);
    ViewFixture f;
    f.theme.apply();
    const auto panels = panelsOf(f.context());
    for (const auto& panel : panels) {
        panel->resize(640, 260);
        panel->show();
    }
    // After a run that was looked into, as when a prompt grows.
    f.show(makeRun(kSpec));
    for (const auto& panel : panels)
        panel->grab();
    const trace::RunPtr run = makeDeployedRun(kSpec, static_cast<Rung>(rung));
    f.show(run);
    QVERIFY(!f.shown.fate());
    QVERIFY(f.shown.asked());
    for (const auto& panel : panels) {
        const QString name = panel->text().name;
        const bool there = name == QStringLiteral("timing") || name == QStringLiteral("answers") ||
                           name == QStringLiteral("tokens");
        QTRY_COMPARE(overlayOf(*panel), there ? QString() : QStringLiteral("Not looked into"));
        for (int view = 0; view < std::max<int>(1, static_cast<int>(panel->viewNames().size()));
             ++view) {
            panel->setView(view);
            panel->grab();
            panel->csv();
            panel->caption();
            QPicture picture;
            QPainter painter(&picture);
            panel->paintFigure(painter, {640, 260});
        }
        for (const QPoint at : {QPoint(20, 60), QPoint(300, 120), QPoint(600, 240)}) {
            QTest::mouseMove(panel->body(), at);
            QTest::mouseClick(panel->body(), Qt::LeftButton, {}, at);
        }
        savePicture(*panel, QStringLiteral("deployed-%1-%2").arg(rung).arg(name));
    }
    f.show(makeRun(kSpec));
    for (const auto& panel : panels)
        QTRY_COMPARE(overlayOf(*panel), QString());
}

void TestDeployedRun::barsAreThoseOfBothSides() {
    const trace::RunPtr run = makeDeployedRun(kSpec, Rung::Deployed);
    const trace::FatePtr fate = makeFate(run);
    const TimingBars bars = timingBars(*run, *fate);
    QCOMPARE(bars.layers.size(), std::size_t{16});
    for (const LayerBars& bar : bars.layers) {
        QVERIFY(bar.fullState == trace::State::Exact);
        QVERIFY(bar.fastKvState == trace::State::Exact);
        QVERIFY(sumOf(bar.fastKv) > 0.0);
        QCOMPARE(sumOf(bar.fastKv), sumOf(bar.full)); // as this run was made
    }
    QCOMPARE(bars.captureMs, 0.0);
    const TimingTotals totals = timingTotals(*run, *fate, bars);
    QCOMPARE(totals.fullMs, run->timing.fullPrefillMs);
    QCOMPARE(totals.fastKvMs, run->timing.fastKvPrefillMs);
    QVERIFY(totals.fastKvState == trace::State::Exact);
    QVERIFY(totals.composed && !totals.composed->bound);
    // Another TSP layer is a preview, from rows that were really left over.
    trace::Settings moved = fate->settings;
    moved.tspLayer = 3;
    const TimingBars preview = timingBars(*run, *select::deployedFate(*run, moved));
    QVERIFY(preview.layers[12].fastKvState == trace::State::Preview);
    const auto alone = makeDeployedRun(kSpec, Rung::FastKvAlone);
    QVERIFY(timingBars(*alone, *makeFate(alone)).layers.empty());
}

void TestDeployedRun::figuresAreThoseOfTheDeployedPath() {
    ViewFixture f;
    f.theme.apply();
    TimingPanel panel(f.context());
    panel.resize(700, 240);
    panel.show();
    panel.setView(TimingPanel::Figures);
    f.show(makeDeployedRun(kSpec, Rung::Deployed));
    QTRY_VERIFY(panel.readout().contains(QStringLiteral("deployed path, run once")));
    auto measured = std::make_shared<trace::Run>(*makeDeployedRun(kSpec, Rung::FastKvAlone));
    f.show(measured);
    QVERIFY(panel.readout().contains(QStringLiteral("deployed path, run once")));
    measured = std::make_shared<trace::Run>(*measured);
    measured->timing.standaloneFastKvMs = {4.0, 5.0, 6.0};
    f.show(measured);
    QVERIFY2(panel.readout().contains(QStringLiteral("median of 3")), qPrintable(panel.readout()));
    panel.setView(TimingPanel::PerLayer);
    QVERIFY(panel.chart(TimingPanel::PerLayer)->grab().width() > 0);
}

void TestDeployedRun::answersAreComparedOnlyWithWhatIsThere() {
    ViewFixture f;
    f.theme.apply();
    AnswersPanel panel(f.context());
    panel.resize(700, 160);
    panel.show();
    f.show(makeDeployedRun(kSpec, Rung::Deployed));
    auto* view = panel.findChild<AnswersView*>();
    QVERIFY(view->content().lines.known());
    QVERIFY(!view->content().pending);
    f.show(makeDeployedRun(kSpec, Rung::FastKvAlone));
    QVERIFY(!view->content().lines.known());
    QVERIFY(!view->content().pending);
    QVERIFY(view->content().verdict.contains(QStringLiteral("full context does not fit")));
    savePicture(panel, QStringLiteral("answers-fastkv-alone"));
}

void TestDeployedRun::bytesFollowTheSettings() {
    ViewFixture f;
    f.show(makeDeployedRun(kSpec, Rung::FastKvAlone));
    ReadoutsView readouts(f.context());
    const auto kv = [&] { return readouts.reading(Metric::KvBytes).method; };
    const double before = kv();
    QVERIFY(before > 0.0);
    QVERIFY(!readouts.reading(Metric::PerToken).pending);
    QVERIFY(readouts.reading(Metric::FirstToken).method > 0.0);
    QVERIFY(!(readouts.reading(Metric::FirstKl).method >= 0.0));
    trace::Settings wider = f.settings.settings();
    wider.kv = trace::Amount::ofRate(0.4);
    f.settings.set(wider);
    f.shown.setFate(select::deployedFate(*f.shown.run(), wider));
    QVERIFY(kv() > before);
    QVERIFY(readouts.reading(Metric::PerToken).pending);
}

QTEST_MAIN(TestDeployedRun)
#include "test_deployed_run.moc"
