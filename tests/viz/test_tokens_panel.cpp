// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/tokens_window.h"
#include "viz/plots/figure_export.h"
#include "viz/text/token_map.h"

#include <QClipboard>
#include <QTemporaryDir>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using testing::SyntheticSpec;

namespace {

using Window = testing::TokensWindow;
const SyntheticSpec& kSpec = testing::kTokensSpec;

void scrollWheel(QWidget* widget, int notches, Qt::KeyboardModifiers modifiers = {}) {
    const QPointF at = QRectF(widget->rect()).center();
    QWheelEvent event(at, widget->mapToGlobal(at), {}, {0, notches * 120}, Qt::NoButton, modifiers,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(widget, &event);
}

} // namespace

class TestTokensPanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void clickPinsAndShiftClickAdds() {
        Window w;
        w.click(12);
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{12});
        w.click(20);
        QCOMPARE(w.f.selection.marks().size(), std::size_t{1});
        w.click(25, Qt::ShiftModifier);
        QCOMPARE(w.f.selection.marks().size(), std::size_t{2});
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{25});
    }
    void doubleClickPinsOnceAndKeepsTheRange() {
        Window w;
        w.f.selection.setRange({100, 400});
        QSignalSpy marks(&w.f.selection, &Selection::marksChanged);
        // The sequence that a real double click sends.
        QTest::mousePress(w.page(), Qt::LeftButton, {}, w.at(12));
        QTest::mouseRelease(w.page(), Qt::LeftButton, {}, w.at(12));
        QTest::mouseDClick(w.page(), Qt::LeftButton, {}, w.at(12));
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{12});
        QCOMPARE(w.f.selection.marks().size(), std::size_t{1});
        QCOMPARE(w.f.selection.range(), (TokenRange{100, 400}));
    }
    void aTrembleIsAClick() {
        Window w;
        QTest::mousePress(w.page(), Qt::LeftButton, {}, w.at(12));
        QTest::mouseMove(w.page(), w.at(12) + QPoint(2, 1));
        QTest::mouseRelease(w.page(), Qt::LeftButton, {}, w.at(12) + QPoint(2, 1));
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{12});
        QCOMPARE(w.view().chosen().size(), std::int64_t{0});
    }
    void dragChoosesAndTracks() {
        Window w;
        w.drag(10, 30);
        QCOMPARE(w.view().chosen(), (TokenRange{10, 31}));
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{-1});
        auto* bar = w.panel.findChild<ChoiceBar*>();
        QVERIFY(bar->isVisible());
        QVERIFY(w.page()->rect().contains(bar->geometry()));
        QTest::mouseClick(w.barButton(QStringLiteral("Track")), Qt::LeftButton);
        const Mark* span = w.f.selection.firstSpan();
        QVERIFY(span != nullptr);
        QCOMPARE(span->tokens, (TokenRange{10, 31}));
        QVERIFY(!span->name.isEmpty());
        QVERIFY(!bar->isVisible());
    }
    void draggingBackwardsIsTheSame() {
        Window w;
        w.drag(30, 10);
        QCOMPARE(w.view().chosen(), (TokenRange{10, 31}));
    }
    void chosenTokensAreCopied() {
        Window w;
        w.drag(10, 12);
        QTest::mouseClick(w.barButton(QStringLiteral("Copy ids")), Qt::LeftButton);
        const auto& ids = w.f.shown.run()->prompt->ids;
        QCOMPARE(QGuiApplication::clipboard()->text(),
                 QStringLiteral("[%1, %2, %3]").arg(ids[10]).arg(ids[11]).arg(ids[12]));
        QTest::mouseClick(w.barButton(QStringLiteral("Copy text")), Qt::LeftButton);
        std::string text;
        for (int i = 10; i < 13; ++i)
            text += w.f.shown.run()->prompt->tokenText(i);
        QCOMPARE(QGuiApplication::clipboard()->text(), QString::fromStdString(text));
    }
    void zoomToShowsTheChosenTokens() {
        Window w;
        w.drag(10, 40);
        QTest::mouseClick(w.barButton(QStringLiteral("Zoom to")), Qt::LeftButton);
        QCOMPARE(w.f.selection.range(), (TokenRange{10, 41}));
    }
    void draggingBeyondTheEdgeScrolls() {
        Window w;
        QTest::mousePress(w.page(), Qt::LeftButton, {}, w.at(10));
        QTest::mouseMove(w.page(), w.at(30));
        QTest::mouseMove(w.page(), QPoint(60, w.page()->height() + 60));
        QTRY_VERIFY(w.view().verticalScrollBar()->value() > 200);
        QTest::mouseRelease(w.page(), Qt::LeftButton, {}, QPoint(60, w.page()->height() + 60));
        QVERIFY(w.view().chosen().size() > 150);
    }
    void wheelScrollsAndCtrlWheelSizesType() {
        Window w;
        scrollWheel(w.page(), -2);
        const int scrolled = w.view().verticalScrollBar()->value();
        QCOMPARE(scrolled, 6 * w.view().page().lineHeight());
        QCOMPARE(w.f.selection.range().size(), w.f.selection.scored()); // no zoom here
        const std::int64_t first = w.view().visibleTokens().begin;
        const int height = w.view().page().lineHeight();
        scrollWheel(w.page(), 4, Qt::ControlModifier);
        QVERIFY(w.view().page().lineHeight() > height);
        QVERIFY(std::abs(w.view().visibleTokens().begin - first) < 10); // the place is kept
    }
    void keysMoveTokensLayersAndFate() {
        Window w;
        w.f.selection.setHover({12, {}, 7, -1});
        w.press(Qt::Key_Right);
        QCOMPARE(w.f.selection.hover().token, std::int64_t{13});
        w.f.selection.setHover({800, {}, 7, -1});
        w.press(Qt::Key_Left);
        QVERIFY(w.view().visibleTokens().has(799)); // walking scrolls
        w.press(Qt::Key_Down);
        QCOMPARE(w.view().looks().layer(), 8);
        QVERIFY(w.panel.caption().contains(QStringLiteral("layer 8")));
        w.press(Qt::Key_T);
        QVERIFY(w.view().looks().decider().kind == Decider::Kind::AnyHead);
        w.press(Qt::Key_Period);
        QVERIFY(w.view().looks().decider().kind == Decider::Kind::Head);
        const int before = w.view().verticalScrollBar()->value();
        w.press(Qt::Key_Space);
        QVERIFY(w.view().verticalScrollBar()->value() > before);
        w.press(Qt::Key_Home, Qt::ControlModifier);
        QCOMPARE(w.view().verticalScrollBar()->value(), 0);
    }
    void escapeClosesOneThingAtATime() {
        Window w;
        w.click(12);
        w.press(Qt::Key_F, Qt::ControlModifier);
        QVERIFY(w.panel.findBar().isVisible());
        w.drag(10, 20);
        w.press(Qt::Key_Escape);
        QCOMPARE(w.view().chosen().size(), std::int64_t{0});
        QVERIFY(w.panel.findBar().isVisible());
        w.press(Qt::Key_Escape);
        QVERIFY(!w.panel.findBar().isVisible());
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{12});
        w.press(Qt::Key_Escape);
        QCOMPARE(w.f.selection.pinnedToken(), std::int64_t{-1});
    }
    void pTracksWhatIsChosen() {
        Window w;
        w.drag(10, 20);
        w.press(Qt::Key_P);
        QCOMPARE(w.f.selection.firstSpan()->tokens, (TokenRange{10, 21}));
    }
    void aNinthSpanIsNotTracked() {
        Window w;
        for (std::int64_t i = 0; i < Selection::kMostMarks; ++i)
            w.f.selection.addSpan({500 + i, 501 + i}, QStringLiteral("span"));
        w.drag(10, 20);
        QVERIFY(!w.barButton(QStringLiteral("Track"))->isEnabled());
        w.press(Qt::Key_P);
        QCOMPARE(w.view().chosen(), (TokenRange{10, 21})); // still there, to be copied
    }
    void findCountsAndSteps() {
        Window w;
        w.press(Qt::Key_F, Qt::ControlModifier);
        QVERIFY(w.needle()->hasFocus());
        QTest::keyClicks(w.needle(),
                         QStringLiteral("PASSword")); // whatever the case, over two tokens
        const auto begin = testing::needleBegin(kSpec);
        QCOMPARE(w.f.selection.hits(), (std::vector<TokenRange>{{begin + 1, begin + 3}}));
        QCOMPARE(w.panel.findBar().countText(), QStringLiteral("1 of 1"));
        QVERIFY(w.view().visibleTokens().has(begin));
        QCOMPARE(w.f.selection.firstSpan(), nullptr); // "P" was for the field

        w.needle()->clear();
        QTest::keyClicks(w.needle(), QStringLiteral("whale"));
        const auto hits = w.f.selection.hits();
        QVERIFY(hits.size() > 20);
        const auto position = [&] {
            return w.panel.findBar().countText().section(u' ', 0, 0).toInt();
        };
        const int first = position();
        QTest::keyClick(w.needle(), Qt::Key_F3);
        QCOMPARE(position(), first + 1);
        QTest::keyClick(w.needle(), Qt::Key_Return);
        w.press(Qt::Key_F3, Qt::ShiftModifier);
        w.press(Qt::Key_F3, Qt::ShiftModifier);
        QCOMPARE(position(), first);
        QTest::keyClick(w.needle(), Qt::Key_Escape);
        QVERIFY(!w.panel.findBar().isVisible());
        QVERIFY(w.f.selection.hits().empty());
        QVERIFY(w.view().hasFocus());
    }
    void findSaysWhenThereIsNone() {
        Window w;
        w.panel.openFind();
        QTest::keyClicks(w.needle(), QStringLiteral("xyzzy"));
        QCOMPARE(w.panel.findBar().countText(), QStringLiteral("none"));
    }
    void pinsOfOtherViewsScrollHoversDoNot() {
        Window w;
        w.f.selection.setHover({1200, {}, 7, -1});
        QCOMPARE(w.view().verticalScrollBar()->value(), 0);
        w.f.selection.pinToken(1200, false);
        QVERIFY(w.view().visibleTokens().has(1200));
    }
    void hoversRebuildNothing() {
        Window w;
        QCoreApplication::processEvents();
        const TokenPage& page = w.view().page();
        const TokenMap& map = w.view().map();
        const auto work = [&] {
            return std::vector<int>{page.layoutsMade(), page.linesShaped(), map.bestCellsMade(),
                                    map.picturesMade()};
        };
        const auto before = work();
        for (int i = 0; i < 100; ++i) {
            QTest::mouseMove(w.page(), w.at(i));
            QCoreApplication::processEvents();
        }
        QCOMPARE(w.f.selection.hover().token, std::int64_t{99});
        QCOMPARE(work(), before);
        QVERIFY(w.panel.readout().startsWith(QStringLiteral("99 \"")));
    }
    void aSliderMoveSearchesNoBestTokenAndShapesNoLine() {
        Window w;
        w.f.options.setFateMode(ViewOptions::FateMode::Kv);
        QCoreApplication::processEvents();
        const int best = w.view().map().bestCellsMade(), shaped = w.view().page().linesShaped();
        const std::int64_t kept = w.view().looks().kept().count();
        trace::Settings to = w.f.settings.settings();
        to.kv = trace::Amount::ofRate(0.3);
        w.f.move(to);
        QCoreApplication::processEvents();
        QVERIFY(w.view().looks().kept().count() > kept);
        QCOMPARE(w.view().map().bestCellsMade(), best);
        QCOMPARE(w.view().page().linesShaped(), shaped);
    }
    void mapJumpsAndDrags() {
        Window w;
        auto* map = w.panel.findChild<TokenMap*>();
        QTest::mouseClick(map, Qt::LeftButton, {}, QPoint(8, map->height() / 2));
        const TokenRange seen = map->visibleTokens();
        QVERIFY2(seen.has(720), "the middle of the map is the middle of the prompt");
        const int y = map->height() / 2;
        QTest::mousePress(map, Qt::LeftButton, {}, QPoint(8, y));
        QTest::mouseMove(map, QPoint(8, y + 100));
        QVERIFY(map->visibleTokens().begin > seen.end);
        QTest::mouseMove(map, QPoint(8, map->height() + 50));
        QTest::mouseRelease(map, Qt::LeftButton, {}, QPoint(8, map->height() + 50));
        QCOMPARE(map->visibleTokens().end, std::int64_t{1447});
    }
    void aTextOpensAtItsFact() {
        Window w;
        const auto seen = [&w](std::int64_t token) { return w.view().visibleTokens().has(token); };
        QVERIFY(!seen(1100));
        w.f.selection.addSpan({1100, 1109}, QStringLiteral("fact"));
        QVERIFY(seen(1100));
        w.f.selection.addSpan({300, 309}, QStringLiteral("question"));
        QVERIFY(seen(1100));
        // Nor is one that reads elsewhere called back.
        w.view().scrollToLine(0);
        w.f.selection.addSpan({1200, 1209}, QStringLiteral("another"));
        QVERIFY(seen(0));
        w.f.show(testing::makeRun({.tokens = 1300}));
        QVERIFY(seen(0));
        w.f.selection.addSpan({800, 809}, QStringLiteral("fact"));
        QVERIFY(seen(800));
    }
    void aNewRunOfTheSamePromptKeepsThePlace() {
        Window w;
        w.f.selection.pinToken(900, false);
        const int place = w.view().verticalScrollBar()->value();
        const int layouts = w.view().page().layoutsMade();
        auto again = std::make_shared<trace::Run>(*w.f.shown.run());
        again->prompt = std::make_shared<trace::Prompt>(*again->prompt);
        w.f.shown.setRun(again, testing::makeFate(again));
        QCOMPARE(w.view().verticalScrollBar()->value(), place);
        QCOMPARE(w.view().page().layoutsMade(), layouts);
        w.f.show(testing::makeRun({.tokens = 300}));
        QCOMPARE(w.view().page().text()->size(), std::int64_t{300});
        QCOMPARE(w.view().verticalScrollBar()->value(), 0);
    }
    void csvHasALineAToken() {
        Window w;
        w.f.selection.setRange({100, 150});
        const QStringList lines = w.panel.csv().split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), 51);
        QVERIFY(lines[0].startsWith(QStringLiteral("token,id,text")));
        QVERIFY(lines[1].startsWith(QStringLiteral("100,")));
        QCOMPARE(lines[1].count(u','), lines[0].count(u','));
        w.f.selection.fit();
        QCOMPARE(w.panel.csv().count(u'\n'), 1448); // with the window
    }
    void figuresKeepTextAsText() {
        Window w;
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("tokens.svg"));
        QCOMPARE(saveFigure(w.panel, path), QString());
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().contains("remembering"));
        QVERIFY(!figureImage(w.panel, {.scale = 1.0, .size = {500, 300}}).isNull());
    }
};

QTEST_MAIN(TestTokensPanel)
#include "test_tokens_panel.moc"
