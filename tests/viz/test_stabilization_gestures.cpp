// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/stabilization_stage.h"

#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using Stage = testing::StabilizationStage;
using testing::View;
using testing::visibleButton;

class TestStabilizationGestures : public QObject {
    Q_OBJECT
    QFont m_font = QApplication::font();

private Q_SLOTS:
    void cleanup() { QApplication::setFont(m_font); }

    void dragMovesTheTspLayerAsOneStep_data() {
        QTest::addColumn<int>("view");
        for (const int view : {StabilizationPanel::Tracked, StabilizationPanel::Curves,
                               StabilizationPanel::Measured, StabilizationPanel::RankVariance})
            QTest::addRow("%d", view) << view;
    }
    void dragMovesTheTspLayerAsOneStep() {
        QFETCH(int, view);
        Stage s;
        s.track();
        s.panel.setView(view);
        s.paint();
        const auto v = static_cast<View>(view);
        LayerChart& chart = s.chart(v);
        QTest::mousePress(&chart, Qt::LeftButton, {}, s.at(v, 7));
        for (const int layer : {8, 9, 11})
            s.dragTo(chart, s.at(v, layer));
        QVERIFY(s.f.settings.dragging());
        QCOMPARE(s.f.settings.settings().tspLayer, 11);
        QTest::mouseRelease(&chart, Qt::LeftButton, {}, s.at(v, 11));
        QVERIFY(!s.f.settings.dragging());
        QCOMPARE(s.f.settings.settings().tspLayer, 11);
        QCOMPARE(s.f.selection.pinnedLayer(), -1);
        s.f.settings.undo();
        QCOMPARE(s.f.settings.settings().tspLayer, 7);
        QVERIFY(!s.f.settings.canUndo());
    }
    void beyondTheEndsTheLineStays() {
        Stage s;
        s.paint();
        LayerChart& chart = s.chart(StabilizationPanel::Curves);
        QTest::mousePress(&chart, Qt::LeftButton, {}, s.at(StabilizationPanel::Curves, 7));
        s.dragTo(chart, {5000, 60});
        QCOMPARE(s.f.settings.settings().tspLayer, 15);
        s.dragTo(chart, {-5000, 60});
        QCOMPARE(s.f.settings.settings().tspLayer, 0);
        QTest::mouseRelease(&chart, Qt::LeftButton, {}, {-5000, 60});
    }
    void escPutsTheOldLayerBack() {
        Stage s;
        s.paint();
        LayerChart& chart = s.chart(StabilizationPanel::Curves);
        QTest::mousePress(&chart, Qt::LeftButton, {}, s.at(StabilizationPanel::Curves, 7));
        s.dragTo(chart, s.at(StabilizationPanel::Curves, 3));
        QCOMPARE(s.f.settings.settings().tspLayer, 3);
        QTest::keyClick(&chart, Qt::Key_Escape);
        QCOMPARE(s.f.settings.settings().tspLayer, 7);
        QVERIFY(!s.f.settings.dragging());
        // What follows of that gesture does nothing.
        s.dragTo(chart, s.at(StabilizationPanel::Curves, 12));
        QTest::mouseRelease(&chart, Qt::LeftButton, {}, s.at(StabilizationPanel::Curves, 12));
        QCOMPARE(s.f.settings.settings().tspLayer, 7);
        QCOMPARE(s.f.selection.pinnedLayer(), -1);
    }
    void clickPinsAndDoubleClickIsTwoClicks() {
        Stage s;
        s.paint();
        LayerChart& chart = s.chart(StabilizationPanel::Curves);
        const QPoint at = s.at(StabilizationPanel::Curves, 4);
        QTest::mousePress(&chart, Qt::LeftButton, {}, at);
        QTest::mouseRelease(&chart, Qt::LeftButton, {}, at);
        QCOMPARE(s.f.selection.pinnedLayer(), 4);
        QTest::mouseDClick(&chart, Qt::LeftButton, {}, at);
        QTest::mouseRelease(&chart, Qt::LeftButton, {}, at);
        QCOMPARE(s.f.selection.pinnedLayer(), 4);
        QCOMPARE(s.f.settings.settings().tspLayer, 7);
        // On the line: no move, so a click, which pins t.
        QTest::mouseClick(&chart, Qt::LeftButton, {}, s.at(StabilizationPanel::Curves, 7));
        QCOMPARE(s.f.selection.pinnedLayer(), 7);
        QTest::keyClick(&chart, Qt::Key_Escape);
        QCOMPARE(s.f.selection.pinnedLayer(), -1);
    }
    void keysMoveThePinnedLayer() {
        Stage s;
        s.paint();
        QTest::keyClick(&s.chart(StabilizationPanel::Curves), Qt::Key_Down);
        QCOMPARE(s.f.selection.pinnedLayer(), 8);
        QTest::keyClick(&s.chart(StabilizationPanel::Curves), Qt::Key_BracketLeft);
        QCOMPARE(s.f.selection.pinnedLayer(), 7);
    }
    void hoverIsSharedAndReadOut() {
        Stage s;
        s.track();
        s.paint();
        LayerChart& chart = s.chart(StabilizationPanel::Tracked);
        s.moveTo(chart, s.at(StabilizationPanel::Tracked, 9));
        QCOMPARE(s.f.selection.hover().layer, 9);
        QVERIFY(
            s.panel.readout().startsWith(QStringLiteral("layer 9 · 1 fact: 9 of 9 would pass")));
        QCOMPARE(s.panel.body()->accessibleDescription(), s.panel.readout());
        s.moveTo(chart, s.at(StabilizationPanel::Tracked, 2));
        QVERIFY(s.panel.readout().contains(QStringLiteral("1 fact: 0 of 9 would pass")));
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(&chart, &leave);
        QCOMPARE(s.f.selection.hover().layer, -1);
        QVERIFY(s.panel.readout().startsWith(QStringLiteral("layer 7 ·")));
        // From elsewhere, too.
        s.f.selection.setHover({.layer = 12});
        QVERIFY(s.panel.readout().startsWith(QStringLiteral("layer 12 ·")));
    }
    void hoversPaintNoPictureAnew() {
        Stage s({}, {700, 460});
        s.track();
        for (int view = 0; view < 5; ++view) {
            s.panel.setView(view);
            s.paint();
            std::vector<int> made;
            for (int v = 0; v < 5; ++v)
                made.push_back(s.panel.chart(static_cast<View>(v))->picturesMade());
            for (int i = 0; i < 100; ++i) {
                s.moveTo(*s.panel.chart(static_cast<View>(view)), {60 + i * 3, 50 + i % 20});
                s.paint();
            }
            for (int v = 0; v < 5; ++v)
                QCOMPARE(s.panel.chart(static_cast<View>(v))->picturesMade(),
                         made[static_cast<std::size_t>(v)]);
        }
    }
    void aKvBudgetChangesNothingHere() {
        Stage s({}, {700, 460});
        s.track();
        s.paint();
        const int tracked = s.chart(StabilizationPanel::Tracked).picturesMade(),
                  curves = s.chart(StabilizationPanel::Curves).picturesMade();
        trace::Settings settings = s.f.settings.settings();
        for (const double rate : {0.2, 0.3, 0.05}) {
            settings.kv = trace::Amount::ofRate(rate);
            s.f.move(settings);
            s.paint();
        }
        QCOMPARE(s.chart(StabilizationPanel::Tracked).picturesMade(), tracked);
        QCOMPARE(s.chart(StabilizationPanel::Curves).picturesMade(), curves);
        // Nor does the TSP layer: it moves a line over the pictures.
        settings.tspLayer = 3;
        s.f.move(settings);
        s.paint();
        QCOMPARE(s.chart(StabilizationPanel::Tracked).picturesMade(), tracked);
        QCOMPARE(s.chart(StabilizationPanel::Curves).picturesMade(), curves);
        settings.tsp = trace::Amount::ofRate(0.5);
        s.f.move(settings);
        s.paint();
        QCOMPARE(s.chart(StabilizationPanel::Tracked).picturesMade(), tracked + 1);
        QCOMPARE(s.chart(StabilizationPanel::Curves).picturesMade(), curves + 1);
    }
};

QTEST_MAIN(TestStabilizationGestures)
#include "test_stabilization_gestures.moc"
