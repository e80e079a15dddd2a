// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/core/thread_pool.h"
#include "tests/viz/stabilization_stage.h"
#include "viz/plots/figure_export.h"
#include "viz/plots/stabilization_map.h"
#include "viz/plots/view_switch.h"
#include "viz/series/tracked_span.h"

#include <QDoubleSpinBox>
#include <QMenu>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using Stage = testing::StabilizationStage;
using testing::View;
using testing::visibleButton;

class TestStabilizationPanel : public QObject {
    Q_OBJECT
    QFont m_font = QApplication::font();

private Q_SLOTS:
    void cleanup() { QApplication::setFont(m_font); }

    void trackedShowsItselfOnceAPrompt() {
        Stage s;
        QCOMPARE(s.panel.view(), int(StabilizationPanel::Curves));
        s.track();
        QCOMPARE(s.panel.view(), int(StabilizationPanel::Tracked));
        s.panel.findChild<ViewSwitch*>()->setCurrent(StabilizationPanel::Measured);
        s.panel.setView(StabilizationPanel::Curves);
        s.f.selection.addSpan({3, 5}, QStringLiteral("more"));
        QCOMPARE(s.panel.view(), int(StabilizationPanel::Curves));
        // A rerun of the same prompt is no new prompt.
        s.f.shown.setRun(std::make_shared<trace::Run>(*s.f.shown.run()), s.f.shown.fate());
        QCOMPARE(s.panel.view(), int(StabilizationPanel::Curves));
        testing::SyntheticSpec other;
        other.tokens = 700;
        s.f.show(testing::makeRun(other));
        s.track(other);
        QCOMPARE(s.panel.view(), int(StabilizationPanel::Tracked));
        // A prompt without spans leaves the empty view again.
        s.f.show(testing::makeRun({}));
        QCOMPARE(s.panel.view(), int(StabilizationPanel::Curves));
    }
    void aChosenViewStays() {
        Stage s;
        s.panel.setView(StabilizationPanel::LayerByLayer);
        s.track();
        QCOMPARE(s.panel.view(), int(StabilizationPanel::LayerByLayer));
    }
    void aTallBodyShowsTwoViewsWithLayersUnderLayers() {
        Stage s({}, {700, 460});
        s.track();
        s.paint();
        QVERIFY(s.chart(StabilizationPanel::Tracked).isVisible());
        QVERIFY(s.chart(StabilizationPanel::Curves).isVisible());
        for (const int layer : {0, 7, 15})
            QCOMPARE(s.chart(StabilizationPanel::Tracked).xOf(layer),
                     s.chart(StabilizationPanel::Curves).xOf(layer));
        s.panel.resize(700, 200);
        s.paint();
        QVERIFY(!s.chart(StabilizationPanel::Curves).isVisible());
    }
    void kFollowsTheRateOrIsTyped() {
        Stage s;
        s.paint();
        QSignalSpy changed(&s.panel, &StabilizationPanel::topKChanged);
        QCOMPARE(s.panel.topK(), 192);
        QVERIFY(visibleButton(s.panel, QStringLiteral("K 192")) != nullptr);
        trace::Settings settings = s.f.settings.settings();
        settings.tsp = trace::Amount::ofRate(0.4);
        s.f.move(settings);
        QCOMPARE(s.panel.topK(), 392);
        QCOMPARE(changed.count(), 1);
        QToolButton* button = visibleButton(s.panel, QStringLiteral("K 392"));
        QVERIFY(button != nullptr);
        button->menu()->actions().at(1)->trigger();
        QCOMPARE(s.panel.topK(), 512);
        QVERIFY(s.panel.readout().contains(QStringLiteral("K 512")));
        button->menu()->findChild<QSpinBox*>()->setValue(77);
        QCOMPARE(s.panel.topK(), 77);
        settings.tsp = trace::Amount::ofRate(0.1);
        s.f.move(settings);
        QCOMPARE(s.panel.topK(), 77);
        button->menu()->actions().at(0)->trigger();
        QCOMPARE(s.panel.topK(), 92);
    }
    void withoutTheEndIsAnotherTable() {
        Stage s;
        s.paint();
        const QString all = s.panel.csv();
        QToolButton* button = visibleButton(s.panel, QStringLiteral("Without the end"));
        QVERIFY(button != nullptr);
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(s.panel.withoutEnd());
        QVERIFY(s.panel.csv() != all);
        QVERIFY(s.panel.csv().contains(QStringLiteral("\n0,192,928,1,0,")));
        QVERIFY(s.panel.caption().contains(QStringLiteral("without its last 64")));
    }
    void exactValuesReplaceInterpolatedOnes() {
        Stage s;
        trace::Settings settings = s.f.settings.settings();
        settings.tsp = trace::Amount::ofRate(0.27);
        s.f.move(settings);
        QCOMPARE(s.panel.topK(), 262);
        QVERIFY(s.panel.readout().contains(QStringLiteral("between tabled K")));
        Derived derived = s.f.shown.derived();
        ThreadPool pool(2);
        derived.exactAtK = select::exactAt(*s.f.shown.run()->full, 262, false, pool);
        s.f.shown.setDerived(derived);
        QVERIFY(!s.panel.readout().contains(QStringLiteral("between tabled K")));
        const auto exact = trace::curvesAt(*derived.exactAtK, 262, 992);
        const QStringList row =
            s.panel.csv().split(QLatin1Char('\n')).at(8).split(QLatin1Char(','));
        QCOMPARE(row.at(0), QStringLiteral("7"));
        QCOMPARE(row.at(4), QStringLiteral("1"));
        QVERIFY(std::abs(row.at(6).toFloat() - exact.leastLaterOverlap[7]) < 1e-5F);
    }
    void marksSayWhatWouldPass() {
        Stage s({}, {900, 300});
        s.track();
        s.panel.grab();
        const QImage picture = s.chart(StabilizationPanel::Tracked).grab().toImage();
        const trace::Run& run = *s.f.shown.run();
        const Mark fact = s.f.selection.marks().front();
        const TrackedSpan span = trackSpan(*run.full, fact.tokens);
        const auto passing = passingTokens(*run.full, span, tspCut(s.f.shown.fate()->budgets));
        const ValueScale scale{1.0, 1.0 / 992.0, true};
        int filled = 0;
        for (const int layer : {2, 9, 12}) {
            const double y =
                scale.y(topShare(span.layers[static_cast<std::size_t>(layer)].median, 992),
                        s.chart(StabilizationPanel::Tracked).plot());
            const QPoint centre(qRound(s.chart(StabilizationPanel::Tracked).xOf(layer)), qRound(y));
            const bool all = passing[static_cast<std::size_t>(layer)] == fact.tokens.size();
            filled += all;
            // A disc has ink all around its centre, a cross only where the curve comes and goes.
            const QColor ink = s.f.theme.palette().pins[0];
            int inked = 0;
            for (const QPoint& beside : {QPoint(0, -2), QPoint(0, 2), QPoint(-2, 0), QPoint(2, 0)})
                inked += deltaE(toLab(picture.pixelColor(centre + beside).rgb()),
                                toLab(ink.rgb())) < 12.0;
            QCOMPARE(inked == 4, all);
        }
        QCOMPARE(filled, 2);
    }
    void mapCellsHaveTheirColour() {
        Stage s({}, {600, 300});
        s.panel.setView(StabilizationPanel::LayerByLayer);
        s.paint();
        auto& view = *static_cast<LayerMapView*>(s.panel.chart(StabilizationPanel::LayerByLayer));
        const QImage picture = view.grab().toImage();
        QCOMPARE(view.maps().size(), std::size_t{2});
        const auto overlap = trace::overlapMap(s.f.shown.run()->full->tables->all, 192);
        const auto recall = trace::recallMap(s.f.shown.run()->full->tables->all, 192);
        for (const auto& map : view.maps()) {
            QVERIFY(view.rect().contains(map.cells));
            QCOMPARE(map.cells.width(), map.cells.height());
            for (const auto& [l, m] : {std::pair{2, 11}, {11, 2}, {14, 15}, {5, 5}}) {
                const QPoint centre = map.cells.topLeft() + QPoint(l * map.cell + map.cell / 2,
                                                                   m * map.cell + map.cell / 2);
                const auto i = static_cast<std::size_t>(l * 16 + m);
                const QRgb expected = map.recall
                                          ? (m > l ? s.f.theme.palette().ramp(recall[i], true)
                                                   : s.f.theme.palette().base.rgb())
                                          : s.f.theme.palette().ramp(overlap[i], true);
                QCOMPARE(picture.pixelColor(centre), QColor(expected));
            }
        }
        s.moveTo(view, view.maps()[0].cells.topLeft() +
                           QPoint(2 * view.maps()[0].cell + 1, 11 * view.maps()[0].cell + 1));
        QVERIFY(
            s.panel.readout().startsWith(QStringLiteral("layer 2 decides, layer 11 · overlap 0.")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("mass recall")));
        QCOMPARE(s.f.selection.hover().layer, 2);
        QTest::mouseClick(&view, Qt::LeftButton, {},
                          view.maps()[0].cells.topLeft() + QPoint(2 * view.maps()[0].cell + 1, 3));
        QCOMPARE(s.f.selection.pinnedLayer(), 2);
    }
    void theSuggestionNamesItsEvidence() {
        Stage s;
        s.panel.setView(StabilizationPanel::Measured);
        QVERIFY(s.panel.readout().contains(
            QStringLiteral("layer 9: earliest tried layer that keeps the answer with KL ≤ 0.05; 8 "
                           "of 15 tried, 1 prompt")));
        QToolButton* limit = visibleButton(s.panel, QStringLiteral("KL ≤ 0.05"));
        QVERIFY(limit != nullptr);
        limit->menu()->findChild<QDoubleSpinBox*>()->setValue(0.001);
        QVERIFY(s.panel.readout().contains(
            QStringLiteral("no tried layer keeps the answer with KL ≤ 0.001")));
        s.f.selection.setHover({.layer = 11});
        QVERIFY(s.panel.readout().contains(QStringLiteral("measured with TSP 11 · 40")));
        s.f.selection.setHover({.layer = 5});
        QCOMPARE(s.panel.readout(), QStringLiteral("layer 5 · not tried"));
        s.f.shown.setDerived({});
        QVERIFY(s.panel.readout().isEmpty());
        QVERIFY(!s.panel.chart(StabilizationPanel::Measured)->emptyText().isEmpty());
    }
    void numbersAreWrittenOut() {
        Stage s;
        s.track();
        const auto lines = [&](View view) {
            s.panel.setView(view);
            return s.panel.csv().trimmed().split(QLatin1Char('\n')).size();
        };
        QCOMPARE(lines(StabilizationPanel::Tracked), 1 + 3 * 16);
        QCOMPARE(lines(StabilizationPanel::Curves), 1 + 16);
        QCOMPARE(lines(StabilizationPanel::Measured), 1 + 9);
        QCOMPARE(lines(StabilizationPanel::RankVariance), 1 + 16);
        QCOMPARE(lines(StabilizationPanel::LayerByLayer), 1 + 16 * 16);
    }
    void figuresKeepTextAsText() {
        Stage s;
        s.track();
        QTemporaryDir folder;
        for (int view = 0; view < 5; ++view) {
            s.panel.setView(view);
            const QString path = folder.filePath(QStringLiteral("%1.svg").arg(view));
            QCOMPARE(saveFigure(s.panel, path), QString());
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadOnly));
            QVERIFY(file.readAll().contains("<text"));
        }
    }
};

QTEST_MAIN(TestStabilizationPanel)
#include "test_stabilization_panel.moc"
