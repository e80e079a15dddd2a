// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/importance_stage.h"

#include <QSignalSpy>
#include <QWheelEvent>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;

namespace {

void wheel(QWidget& widget, const QPoint& point, const QPoint& turn) {
    QWheelEvent event(point, widget.mapToGlobal(point), {}, turn, Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(&widget, &event);
}

} // namespace

class TestImportanceGestures : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void wheelZoomsAtTheCursor();
    void dragPans();
    void shiftDragZoomsToARange();
    void escapePutsTheRangeBack();
    void doubleClickFitsOnTheAxisAlone();
    void clickPinsAndShiftClickAdds();
    void namesPinLayers();
    void lostLanePinsTheWorst();
    void lineMovesTheTspLayer();
    void escapePutsTheLineBack();
    void lineAtTheBottomTurnsTspOn();
    void overviewFrameDrags();
    void keysWorkInTheView();
};

void TestImportanceGestures::wheelZoomsAtTheCursor() {
    Stage s(deepRun());
    const QPoint point = s.at(10, 200);
    const std::int64_t under = s.map().axis().tokenAt(point.x() - s.layout().plotLeft);
    wheel(s.map(), point, {0, 240});
    const TokenRange range = s.f.selection.range();
    QVERIFY(range.size() < 13500 && range.size() > 12000);
    const std::int64_t now = s.map().axis().tokenAt(point.x() - s.layout().plotLeft);
    QVERIFY(std::abs(now - under) <= 2 * s.map().axis().tokensPerCell());
    wheel(s.map(), point, {60, 0});
    QCOMPARE(s.f.selection.range().size(), range.size());
    QVERIFY(s.f.selection.range().begin < range.begin);
}

void TestImportanceGestures::dragPans() {
    Stage s(deepRun());
    s.f.selection.setRange({8000, 12000});
    const QPoint from = s.at(5, 100);
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, from);
    s.dragTo(from + QPoint(-50, 2));
    s.dragTo(from + QPoint(-100, 2));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, from + QPoint(-100, 2));
    const auto moved = std::llround(100.0 * 4000 / s.layout().plotWidth);
    QCOMPARE(s.f.selection.range(), (TokenRange{8000 + moved, 12000 + moved}));
    QCOMPARE(s.f.selection.pinnedToken(), std::int64_t{-1}); // a drag pins nothing
}

void TestImportanceGestures::shiftDragZoomsToARange() {
    Stage s(deepRun());
    const PositionAxis axis = s.map().axis();
    const QPoint from = s.at(5, 100), to = s.at(9, 300);
    QTest::mousePress(&s.map(), Qt::LeftButton, Qt::ShiftModifier, from);
    s.dragTo(from + QPoint(20, 0), Qt::ShiftModifier);
    s.dragTo(to, Qt::ShiftModifier);
    savePicture(*s.panel, QStringLiteral("importance-rubber-band"));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, Qt::ShiftModifier, to);
    const int left = s.layout().plotLeft;
    QCOMPARE(s.f.selection.range(),
             (TokenRange{axis.tokenAt(from.x() - left), axis.tokenAt(to.x() - left) + 1}));
}

void TestImportanceGestures::escapePutsTheRangeBack() {
    Stage s(deepRun());
    s.f.selection.setRange({8000, 12000});
    s.f.selection.pinToken(9000, false);
    const QPoint from = s.at(5, 100);
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, from);
    s.dragTo(from + QPoint(-80, 0));
    QVERIFY(s.f.selection.range().begin > 8000);
    QTest::keyClick(&s.map(), Qt::Key_Escape);
    QCOMPARE(s.f.selection.range(), (TokenRange{8000, 12000}));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, from + QPoint(-80, 0));
    QCOMPARE(s.f.selection.range(), (TokenRange{8000, 12000}));
    QCOMPARE(s.f.selection.pinnedToken(), std::int64_t{9000}); // Esc took the drag, not the pins
    QTest::keyClick(&s.map(), Qt::Key_Escape);
    QCOMPARE(s.f.selection.pinnedToken(), std::int64_t{-1});
}

void TestImportanceGestures::doubleClickFitsOnTheAxisAlone() {
    Stage s(deepRun());
    const auto doubleClick = [&s](const QPoint& point) {
        QTest::mouseClick(&s.map(), Qt::LeftButton, {}, point);
        QTest::mouseDClick(&s.map(), Qt::LeftButton, {}, point);
    };
    s.f.selection.setRange({8000, 12000});
    doubleClick(s.at(3, 50));
    QCOMPARE(s.f.selection.range(), (TokenRange{8000, 12000}));
    QVERIFY(s.f.selection.pinnedToken() >= 8000);
    const std::int64_t pinned = s.f.selection.pinnedToken();
    doubleClick(s.layout().ticks.center());
    QCOMPARE(s.f.selection.range(), (TokenRange{0, deepRun()->scored()}));
    QCOMPARE(s.f.selection.pinnedToken(), pinned);
}

void TestImportanceGestures::clickPinsAndShiftClickAdds() {
    Stage s(deepRun());
    const QPoint first = s.at(20, 111), second = s.at(2, 333);
    s.hoverAt(first);
    const std::int64_t best = s.f.selection.hover().token;
    QCOMPARE(best, s.image().bestToken(20, 111));
    QTest::mouseClick(&s.map(), Qt::LeftButton, {}, first);
    QCOMPARE(s.f.selection.pinnedToken(), best);
    QCOMPARE(s.f.selection.pinnedLayer(), 20);
    QTest::mouseClick(&s.map(), Qt::LeftButton, Qt::ShiftModifier, second);
    QCOMPARE(s.f.selection.marks().size(), std::size_t{3}); // the fact and two pins
    QTest::mouseClick(&s.map(), Qt::LeftButton, {}, second);
    QCOMPARE(s.f.selection.marks().size(), std::size_t{2});
    // In the gutter are the tokens of the window.
    const QPoint gutter(s.layout().plotRight() + PositionAxis::kGutter - 1, first.y());
    QTest::mouseClick(&s.map(), Qt::LeftButton, {}, gutter);
    QCOMPARE(s.f.selection.pinnedToken(), deepRun()->tokens() - 1);
}

void TestImportanceGestures::namesPinLayers() {
    Stage s(deepRun());
    QTest::mouseClick(&s.map(), Qt::LeftButton, {},
                      {s.layout().leftLabels + 3, s.layout().row(24).center().y()});
    QCOMPARE(s.f.selection.pinnedLayer(), 24);
    QCOMPARE(s.f.selection.pinnedToken(), std::int64_t{-1});
}

void TestImportanceGestures::lostLanePinsTheWorst() {
    Stage s(deepRun());
    s.setTsp(2, 0.05); // before the fact rises
    const auto& lost = s.image().lost();
    const auto worst = std::min_element(
        lost.begin(), lost.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
    QVERIFY(worst->token >= 0);
    QVERIFY(!s.f.shown.fate()->passes.has(worst->token));
    const int cell = static_cast<int>(worst - lost.begin());
    const PixelRange px = s.map().axis().pixelsOf(cell);
    const QPoint point(s.layout().plotLeft + px.x0, s.layout().lost.center().y());
    const QImage image = grab(s.map());
    QCOMPARE(pixel(image, {point.x(), s.layout().lost.bottom() - 2}), s.f.theme.palette().lost);
    QTest::mouseClick(&s.map(), Qt::LeftButton, {}, point);
    QCOMPARE(s.f.selection.pinnedToken(), std::int64_t{worst->token});
    QCOMPARE(s.f.selection.pinnedLayer(), int{worst->row});
    savePicture(*s.panel, QStringLiteral("importance-lost"));
}

void TestImportanceGestures::lineMovesTheTspLayer() {
    Stage s(deepRun());
    QSignalSpy history(&s.f.settings, &SettingsModel::historyChanged);
    for (const QPoint& grip : {s.lineMiddle(), s.layout().leftHandle.center()}) {
        s.setTsp(15, 0.2);
        history.clear();
        const QPoint offset(grip.x() - s.lineMiddle().x(), 0);
        QTest::mousePress(&s.map(), Qt::LeftButton, {}, s.lineMiddle() + offset);
        QVERIFY(s.f.settings.dragging());
        for (const int layer : {14, 9, 4, 20}) {
            s.dragTo(s.lineUnder(layer) + offset);
            QCOMPARE(s.f.settings.settings().tspLayer, layer);
            QCOMPARE(s.f.shown.fate()->budgets.tspLayer, layer);
            QVERIFY(s.f.settings.dragging());
        }
        s.dragTo({s.lineMiddle().x(), s.map().height() + 50});
        QCOMPARE(s.f.settings.settings().tspLayer, 31); // the last stop
        s.dragTo({s.lineMiddle().x(), -50});
        QCOMPARE(s.f.settings.settings().tspLayer, 0);
        s.dragTo(s.lineUnder(12) + offset);
        QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, s.lineUnder(12) + offset);
        QVERIFY(!s.f.settings.dragging());
        QCOMPARE(s.f.settings.settings().tspLayer, 12);
        QCOMPARE(history.count(), 1); // one step back, however far it went
        s.f.settings.undo();
        QCOMPARE(s.f.settings.settings().tspLayer, 15);
    }
    QCOMPARE(s.f.selection.pinnedToken(), std::int64_t{-1});
}

void TestImportanceGestures::escapePutsTheLineBack() {
    Stage s(deepRun());
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, s.lineMiddle());
    s.dragTo(s.lineUnder(3));
    QCOMPARE(s.f.settings.settings().tspLayer, 3);
    QTest::keyClick(&s.map(), Qt::Key_Escape);
    QCOMPARE(s.f.settings.settings().tspLayer, 15);
    QVERIFY(!s.f.settings.dragging());
    s.dragTo(s.lineUnder(8));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, s.lineUnder(8));
    QCOMPARE(s.f.settings.settings().tspLayer, 15);
    // A view that goes away in a drag leaves no drag behind.
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, s.lineMiddle());
    s.dragTo(s.lineUnder(3));
    s.panel->hide();
    QVERIFY(!s.f.settings.dragging());
    QCOMPARE(s.f.settings.settings().tspLayer, 15);
}

void TestImportanceGestures::lineAtTheBottomTurnsTspOn() {
    Stage s(deepRun());
    s.setTsp(15, 0.13);
    s.setTsp(15, 1.0);
    QVERIFY(!s.f.shown.fate()->budgets.tspOn);
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, s.lineMiddle());
    s.dragTo(s.lineMiddle() + QPoint(1, 1));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, s.lineMiddle() + QPoint(1, 1));
    QVERIFY(!s.f.shown.fate()->budgets.tspOn); // a click moves nothing
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, s.lineMiddle());
    s.dragTo(s.lineUnder(9));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, s.lineUnder(9));
    QVERIFY(s.f.shown.fate()->budgets.tspOn);
    QCOMPARE(s.f.settings.settings().tspLayer, 9);
    QCOMPARE(s.f.settings.settings().tsp.rate, 0.13);
}

void TestImportanceGestures::overviewFrameDrags() {
    Stage s(deepRun());
    s.f.selection.setRange({8000, 10000});
    Stage::settle();
    const QRect strip = s.layout().overview;
    const QPoint from(strip.left() + static_cast<int>(9000.0 / 19992 * strip.width()),
                      strip.center().y());
    QTest::mousePress(&s.map(), Qt::LeftButton, {}, from);
    QCOMPARE(s.f.selection.range(), (TokenRange{8000, 10000}));
    s.dragTo(from + QPoint(100, 0));
    const double moved = 100.0 * 19992 / strip.width();
    QVERIFY(std::abs(static_cast<double>(s.f.selection.range().begin) - 8000 - moved) < 60);
    QCOMPARE(s.f.selection.range().size(), std::int64_t{2000});
    QTest::keyClick(&s.map(), Qt::Key_Escape);
    QCOMPARE(s.f.selection.range(), (TokenRange{8000, 10000}));
    QTest::mouseRelease(&s.map(), Qt::LeftButton, {}, from);
    // A press beside the frame brings it there.
    QTest::mouseClick(&s.map(), Qt::LeftButton, {}, {strip.right() - 1, strip.center().y()});
    QCOMPARE(s.f.selection.range().end, deepRun()->scored());
}

void TestImportanceGestures::keysWorkInTheView() {
    Stage s(deepRun());
    s.panel->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(s.panel.get()));
    s.panel->setFocus();
    QVERIFY(s.map().hasFocus());
    QCOMPARE(pixel(grab(*s.panel), {0, 100}), s.f.theme.palette().focus);
    s.hoverAt(s.at(6, 100));
    const std::int64_t token = s.f.selection.hover().token;
    QTest::keyClick(&s.map(), Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(s.f.selection.hover().token, token + 10);
    QTest::keyClick(&s.map(), Qt::Key_Return);
    QCOMPARE(s.f.selection.pinnedToken(), token + 10);
    QTest::keyClick(&s.map(), Qt::Key_BracketRight);
    QCOMPARE(s.f.selection.pinnedLayer(), 16);
    QTest::keyClick(&s.map(), Qt::Key_T);
    QCOMPARE(s.f.options.fateMode(), ViewOptions::FateMode::Kv);
    QTest::keyClick(&s.map(), Qt::Key_Plus);
    QVERIFY(s.f.selection.range().size() < 19992);
    QTest::keyClick(&s.map(), Qt::Key_0);
    QCOMPARE(s.f.selection.range().size(), std::int64_t{19992});
    QSignalSpy maximise(s.panel.get(), &Panel::maximiseRequested);
    QTest::keyClick(&s.map(), Qt::Key_F11);
    QCOMPARE(maximise.count(), 1);
}

QTEST_MAIN(TestImportanceGestures)
#include "test_importance_gestures.moc"
