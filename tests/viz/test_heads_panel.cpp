// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/heads_stage.h"
#include "viz/series/head_mass.h"

#include <QSignalSpy>
#include <QThreadPool>
#include <cmath>
#include <tuple>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;
using trace::Amount;

namespace {

/// Everything that a hover must not make again.
struct Made {
    HeadsModel::Counters counters;
    int grids, heads, envelopes;
    explicit Made(Stage& stage)
        : counters(stage.panel.model().counters()),
          grids(stage.panel.grid().picturesPainted()),
          heads(stage.panel.head().picturesPainted()),
          envelopes(stage.panel.head().envelopesMade()) {}
};

} // namespace

class TestHeadsPanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void hoversRebuildNothing();
    void slidersRebuildWhatFollowsFromThem();
    void narrowCellsShowMass();
    void tallPanelsShowTheHeadToo();
    void clicksPin();
    void dragsDoNot();
    void keysWalk();
    void headTakesPositionGestures();
    void tspLineIsDragged();
    void readoutSaysItAll();
    void footerAddsUp();
    void csv();
    void anotherRunWhileIndexing();
};

void TestHeadsPanel::hoversRebuildNothing() {
    Stage stage(largeRun(), {1000, 700});
    const Made before(stage);
    const QRect grid = stage.panel.grid().layoutNow().grid();
    const QRect head = stage.panel.head().plotRect();
    for (int i = 0; i < 100; ++i) {
        QTest::mouseMove(&stage.panel.grid(), {grid.left() + i * grid.width() / 100,
                                               grid.top() + i * grid.height() / 100});
        QCoreApplication::processEvents();
        QTest::mouseMove(&stage.panel.head(),
                         {head.left() + i * head.width() / 100, head.center().y()});
        QCoreApplication::processEvents();
    }
    const Made after(stage);
    QCOMPARE(after.grids, before.grids);
    QCOMPARE(after.heads, before.heads);
    QCOMPARE(after.envelopes, before.envelopes);
    QCOMPARE(after.counters.strips, before.counters.strips);
    QCOMPARE(after.counters.mass, before.counters.mass);
    QCOMPARE(after.counters.spans, before.counters.spans);
    QCOMPARE(after.counters.indexes, before.counters.indexes);
    // What is said of a head is looked up once.
    QVERIFY(after.counters.details > before.counters.details);
    QTest::mouseMove(&stage.panel.grid(), grid.center());
    const int details = stage.panel.model().counters().details;
    QTest::mouseMove(&stage.panel.grid(), grid.center() + QPoint(0, 200));
    QTest::mouseMove(&stage.panel.grid(), grid.center());
    QVERIFY(stage.panel.model().counters().details <= details + 1);
}

void TestHeadsPanel::slidersRebuildWhatFollowsFromThem() {
    Stage stage(largeRun(), {1000, 700});
    const Made before(stage);
    stage.moveKv(0.05);
    const Made kv(stage);
    QCOMPARE(kv.counters.strips, before.counters.strips + 1);
    QCOMPARE(kv.grids, before.grids + 1);
    QCOMPARE(kv.envelopes, before.envelopes);
    QCOMPARE(kv.counters.indexes, before.counters.indexes);
    QCOMPARE(kv.counters.mass, before.counters.mass);
    QCOMPARE(kv.counters.spans, before.counters.spans);
    stage.moveTsp(0.3);
    const Made tsp(stage);
    QCOMPARE(tsp.counters.strips, kv.counters.strips + 1);
    QCOMPARE(tsp.counters.indexes, before.counters.indexes);
    // Changing the range leaves the grid alone, changing the view counts nothing again.
    stage.fixture.selection.zoom(9000.0, 0.5);
    QCoreApplication::processEvents();
    const Made zoomed(stage);
    QCOMPARE(zoomed.grids, tsp.grids);
    QCOMPARE(zoomed.envelopes, tsp.envelopes + 1);
    stage.panel.setView(1);
    QCoreApplication::processEvents();
    stage.panel.setView(0);
    QCoreApplication::processEvents();
    QCOMPARE(Made(stage).counters.strips, tsp.counters.strips);
}

void TestHeadsPanel::narrowCellsShowMass() {
    SyntheticSpec spec = demoSpec();
    spec.queryHeads = spec.kvHeads = 32;
    spec.layers = 4;
    spec.settings.tspLayer = 1;
    Stage stage(makeRun(spec));
    QCOMPARE(stage.panel.view(), 0);
    QCOMPARE(stage.panel.grid().drawnView(), HeadsView::Mass);
    QVERIFY(stage.panel.caption().contains(QStringLiteral("too narrow")));
    QCOMPARE(stage.panel.model().counters().strips, 0);
    stage.panel.resize(1200, 190);
    QCoreApplication::processEvents();
    QCOMPARE(stage.panel.grid().drawnView(), HeadsView::Where);
    QVERIFY(!stage.panel.caption().contains(QStringLiteral("too narrow")));
}

void TestHeadsPanel::tallPanelsShowTheHeadToo() {
    Stage stage(demoRun());
    QVERIFY(stage.panel.grid().isVisible() && !stage.panel.head().isVisible());
    stage.panel.setView(3);
    QVERIFY(!stage.panel.grid().isVisible() && stage.panel.head().isVisible());
    QCOMPARE(stage.panel.size(), QSize(500, 190));
    stage.panel.setView(0);
    stage.panel.resize(500, 340);
    QCoreApplication::processEvents();
    QVERIFY(stage.panel.grid().isVisible() && stage.panel.head().isVisible());
    stage.panel.resize(500, 190);
    QCoreApplication::processEvents();
    QVERIFY(!stage.panel.head().isVisible());
    QCOMPARE(stage.panel.size(), QSize(500, 190));
}

void TestHeadsPanel::clicksPin() {
    Stage stage(demoRun());
    HeadsGrid& grid = stage.panel.grid();
    const HeadPlace at{5, 1};
    QTest::mouseClick(&grid, Qt::LeftButton, {}, stage.centreOf(at));
    QCOMPARE(stage.fixture.selection.pinnedLayer(), at.layer);
    QCOMPARE(stage.fixture.selection.pinnedHead(), at.head);
    QCOMPARE(stage.fixture.selection.pinnedToken(), std::int64_t{-1});
    // A double click is two presses on the same head; it must undo nothing.
    QTest::mousePress(&grid, Qt::LeftButton, {}, stage.centreOf({6, 2}));
    QTest::mouseRelease(&grid, Qt::LeftButton, {}, stage.centreOf({6, 2}));
    QTest::mouseDClick(&grid, Qt::LeftButton, {}, stage.centreOf({6, 2}));
    QCOMPARE(stage.fixture.selection.pinnedLayer(), 6);
    QCOMPARE(stage.fixture.selection.pinnedHead(), 2);
    QCOMPARE(stage.panel.head().place(), (HeadPlace{6, 2}));
    QTest::keyClick(&grid, Qt::Key_Escape);
    QCOMPARE(stage.fixture.selection.pinnedHead(), -1);
    QTest::mouseClick(&grid, Qt::RightButton, {}, stage.centreOf(at));
    QCOMPARE(stage.fixture.selection.pinnedHead(), -1);
}

void TestHeadsPanel::dragsDoNot() {
    Stage stage(demoRun());
    HeadsGrid& grid = stage.panel.grid();
    const QPoint from = stage.centreOf({5, 1});
    QTest::mousePress(&grid, Qt::LeftButton, {}, from);
    QTest::mouseMove(&grid, from + QPoint(30, 0));
    QTest::mouseRelease(&grid, Qt::LeftButton, {}, from + QPoint(30, 0));
    QCOMPARE(stage.fixture.selection.pinnedHead(), -1);
    // Leaving clears what was pointed at.
    QTest::mouseMove(&grid, from);
    QCOMPARE(stage.fixture.selection.hover().head, 1);
    QEvent leave(QEvent::Leave);
    QCoreApplication::sendEvent(&grid, &leave);
    QCOMPARE(stage.fixture.selection.hover(), Hover{});
}

void TestHeadsPanel::keysWalk() {
    Stage stage(demoRun());
    HeadsGrid& grid = stage.panel.grid();
    stage.fixture.selection.pinHead(5, 1);
    for (const auto& [key, layer, head] : {std::tuple{Qt::Key_Period, 5, 2},
                                           {Qt::Key_Comma, 5, 1},
                                           {Qt::Key_BracketRight, 6, 1},
                                           {Qt::Key_BracketLeft, 5, 1},
                                           {Qt::Key_Down, 6, 1},
                                           {Qt::Key_PageUp, 5, 1}}) {
        QTest::keyClick(&grid, key);
        QCOMPARE(stage.fixture.selection.pinnedLayer(), layer);
        QCOMPARE(stage.fixture.selection.pinnedHead(), head);
    }
    QTest::keyClick(&grid, Qt::Key_Plus);
    QVERIFY(stage.fixture.selection.range().size() < stage.fixture.selection.scored());
    QTest::keyClick(&grid, Qt::Key_0);
    QCOMPARE(stage.fixture.selection.range().size(), stage.fixture.selection.scored());
}

void TestHeadsPanel::headTakesPositionGestures() {
    Stage stage(demoRun(), {1000, 500});
    stage.panel.setView(3);
    stage.fixture.selection.pinHead(9, 1);
    QCoreApplication::processEvents();
    HeadView& view = stage.panel.head();
    QVERIFY(stage.panel.caption().contains(view.title()));
    QVERIFY(view.title().startsWith(QStringLiteral("layer 9 head 1")));
    const QPoint middle = view.plotRect().center();
    QTest::mouseMove(&view, middle);
    const Hover hover = stage.fixture.selection.hover();
    QCOMPARE(hover.layer, 9);
    QCOMPARE(hover.head, 1);
    QVERIFY(hover.cell.has(hover.token));
    QTest::mouseClick(&view, Qt::LeftButton, {}, middle);
    QCOMPARE(stage.fixture.selection.pinnedToken(), hover.token);
    QWheelEvent wheel(middle, view.mapToGlobal(middle), {}, {0, 240}, Qt::NoButton, {},
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(&view, &wheel);
    const TokenRange zoomed = stage.fixture.selection.range();
    QVERIFY(zoomed.size() < stage.fixture.selection.scored() && zoomed.has(hover.token));
    QTest::mousePress(&view, Qt::LeftButton, {}, middle);
    QTest::mouseMove(&view, middle + QPoint(40, 0));
    QTest::mouseRelease(&view, Qt::LeftButton, {}, middle + QPoint(40, 0));
    QVERIFY(stage.fixture.selection.range().begin < zoomed.begin);
    // Double click fits on the axis, never on data.
    QTest::mouseDClick(&view, Qt::LeftButton, {}, middle);
    QVERIFY(stage.fixture.selection.range().size() < stage.fixture.selection.scored());
    QTest::mouseDClick(&view, Qt::LeftButton, {}, QPoint(middle.x(), view.height() - 4));
    QCOMPARE(stage.fixture.selection.range().size(), stage.fixture.selection.scored());
    QCOMPARE(stage.fixture.selection.pinnedHead(), 1);
    QTest::mouseMove(&view, {view.plotRect().right() + 4, middle.y()});
    QVERIFY(stage.panel.readout().contains(QStringLiteral("window")));
}

void TestHeadsPanel::tspLineIsDragged() {
    Stage stage(demoRun());
    HeadsGrid& grid = stage.panel.grid();
    const HeadsLayout layout = grid.layoutNow();
    const QPoint line(layout.grid().center().x(), layout.lineY());
    QSignalSpy changed(&stage.fixture.settings, &SettingsModel::changed);
    const auto dragTo = [&](int layer) {
        QTest::mousePress(&grid, Qt::LeftButton, {}, line);
        QTest::mouseMove(&grid, {line.x(), layout.row(layer).bottom()});
    };
    dragTo(3);
    QVERIFY(stage.fixture.settings.dragging());
    QCOMPARE(stage.settings().tspLayer, 3);
    QTest::keyClick(&grid, Qt::Key_Escape);
    QCOMPARE(stage.settings().tspLayer, 7);
    QVERIFY(!stage.fixture.settings.dragging());
    QTest::mouseRelease(&grid, Qt::LeftButton, {}, line);
    QCOMPARE(stage.settings().tspLayer, 7);
    dragTo(3);
    QTest::mouseRelease(&grid, Qt::LeftButton, {}, {line.x(), layout.row(3).bottom()});
    QCOMPARE(stage.settings().tspLayer, 3);
    QVERIFY(!stage.fixture.settings.dragging());
    QVERIFY(stage.fixture.settings.canUndo());
    QCOMPARE(stage.fixture.selection.pinnedHead(), -1);
    QVERIFY(changed.count() > 2);
}

void TestHeadsPanel::readoutSaysItAll() {
    Stage stage(demoRun(), {1200, 190});
    QVERIFY(stage.panel.readout().contains(QStringLiteral("16 layers × 4 KV heads")));
    stage.fixture.selection.pinHead(9, 2);
    const HeadDetail d = stage.panel.model().detail({9, 2});
    QVERIFY(d.tied.has_value());
    QCOMPARE(stage.panel.readout(),
             QStringLiteral("layer 9 head 2 · keeps 300 of 600 · mass %1 · cut rank 292, %2 tied · "
                            "longest gap %3 tokens · span: 9 of 9")
                 .arg(formatMass(d.mass))
                 .arg(*d.tied)
                 .arg(d.gap.size()));
    QCOMPARE(stage.panel.body()->accessibleDescription(), stage.panel.readout());
    stage.fixture.selection.setHover({-1, {}, 2, 1});
    QVERIFY(
        stage.panel.readout().startsWith(QStringLiteral("layer 2 head 1 · keeps 300 of 3,000 · ")));
    stage.fixture.selection.setHover({-1, {}, 4, -1});
    QCOMPARE(stage.panel.readout(), QStringLiteral("layer 4 · 4 heads keep 300 of 3,000 each"));
    stage.fixture.selection.clearHover();
    stage.moveTsp(0.3);
    QVERIFY(stage.panel.readout().contains(QStringLiteral("cut rank ≈ ")));
    QVERIFY(!stage.panel.readout().contains(QStringLiteral("tied")));
    stage.panel.resize(500, 190);
    QCoreApplication::processEvents();
    QVERIFY(stage.panel.readout().startsWith(QStringLiteral("L9 H2 · keeps 300 of 900 · mass ≈ ")));
}

void TestHeadsPanel::footerAddsUp() {
    Stage stage(demoRun(), {1200, 190});
    for (const double tsp : {0.1, 0.2, 1.0}) {
        stage.moveTsp(tsp);
        const trace::Budgets& budgets = stage.fate().budgets;
        const KvBytes bytes = kvBytesOf(budgets, stage.fixture.shown.run()->model);
        QCOMPARE(bytes.early + bytes.late, budgets.kvBytes);
        QCOMPARE(bytes.late == 0, !budgets.tspOn);
    }
    const auto wording = [&] {
        return stage.panel.footer().layoutIn(stage.panel.footer().size()).wording;
    };
    QCOMPARE(wording(), QStringLiteral("93.8 MiB → 9.38 MiB (10.0 % kept; asked 10 %)"));
    stage.moveTsp(0.05);
    QVERIFY(wording().contains(QStringLiteral("late layers hold only the 5 % that TSP passes")));
    stage.panel.resize(500, 190);
    QCoreApplication::processEvents();
    QVERIFY(wording().contains(QStringLiteral("late layers hold only the 5 % that TSP passes")));
}

void TestHeadsPanel::csv() {
    Stage stage(demoRun());
    QStringList lines = stage.panel.csv().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 1 + 16 * 4);
    QCOMPARE(lines[0], QStringLiteral("layer,kv_head,state,entering [tokens],kept [tokens],cut "
                                      "[rank],tied [tokens],mass_kept [share],longest_gap "
                                      "[tokens],span [tokens],span_kept [tokens],kv [bytes]"));
    const QStringList last = lines.back().split(QLatin1Char(','));
    const HeadDetail d = stage.panel.model().detail({15, 3});
    QCOMPARE(last.mid(0, 7).join(QLatin1Char(',')),
             QStringLiteral("15,3,exact,600,300,292,%1").arg(*d.tied));
    QVERIFY(std::fabs(last[7].toDouble() - d.mass) < 1e-6);
    QCOMPARE(last[8].toLongLong(), d.gap.size());
    QCOMPARE(last[9] + last[10], QStringLiteral("9%1").arg(d.spanKept));
    QCOMPARE(last[11].toLongLong(), 300 * 2 * 64 * 4);

    stage.panel.setView(3);
    stage.fixture.selection.pinHead(12, 1);
    stage.fixture.selection.setRange({1000, 1400});
    lines = stage.panel.csv().split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 1 + 400);
    int kept = 0, arrived = 0;
    for (qsizetype i = 1; i < lines.size(); ++i) {
        const std::int64_t token = 999 + i;
        QVERIFY(lines[i].startsWith(QString::number(token) + QLatin1Char(',')));
        QCOMPARE(lines[i].endsWith(QStringLiteral(",1")), stage.fate().keeps(12, 1, token));
        kept += lines[i].endsWith(QStringLiteral(",1")) ? 1 : 0;
        arrived += lines[i].contains(QStringLiteral("12,1,exact,1,")) ? 1 : 0;
    }
    QCOMPARE(kept, static_cast<int>(keptIn(stage.fate(), {12, 1}, {1000, 1400})));
    QCOMPARE(arrived, static_cast<int>(arrivedIn(stage.fate(), 12, {1000, 1400})));
}

void TestHeadsPanel::anotherRunWhileIndexing() {
    ViewFixture fixture;
    fixture.show(demoRun());
    auto panel = std::make_unique<HeadsPanel>(fixture.context());
    panel->resize(500, 190);
    panel->show();
    fixture.show(largeRun());
    QVERIFY(panel->model().indexing());
    fixture.show(demoRun());
    QTRY_VERIFY(!panel->model().indexing());
    QCOMPARE(panel->model().bins().scored, std::int64_t{2992});
    QCOMPARE(panel->model().strips().kept,
             countStrips(*fixture.shown.fate(), panel->model().bins(), {}).kept);
    QVERIFY(panel->model().indexBytes() > 0);
    // A rerun of the same full pass indexes its late layers alone.
    const int before = panel->model().counters().indexes;
    auto rerun = std::make_shared<trace::Run>(*fixture.shown.run());
    rerun->fastkv = makeRun(demoSpec())->fastkv;
    panel->setView(1);
    QCoreApplication::processEvents();
    fixture.shown.setRun(rerun, makeFate(rerun));
    const std::vector<float> during = panel->model().mass();
    QVERIFY(std::none_of(during.begin(), during.end(), [](float m) { return std::isnan(m); }));
    QTRY_VERIFY(!panel->model().indexing());
    QCOMPARE(panel->model().counters().indexes, before + 8);
    // Only a moved KV budget leaves even those.
    auto budget = std::make_shared<trace::Run>(*rerun);
    budget->fastkv = std::make_shared<trace::FastKvPass>(*rerun->fastkv);
    fixture.shown.setRun(budget, fixture.shown.fate());
    QVERIFY(!panel->model().indexing());
    // And a panel may go while it is at work.
    fixture.show(largeRun());
    panel.reset();
    QThreadPool::globalInstance()->waitForDone();
    QCoreApplication::processEvents();
}

QTEST_MAIN(TestHeadsPanel)
#include "test_heads_panel.moc"
