// SPDX-License-Identifier: GPL-3.0-or-later
// Every panel over a prompt of 1,048,576 tokens: nothing overflows, nothing is lost at the far end.
#include "tests/support/view_fixture.h"
#include "viz/plots/answers_panel.h"
#include "viz/plots/heads_grid.h"
#include "viz/plots/heads_panel.h"
#include "viz/plots/importance_layout.h"
#include "viz/plots/importance_panel.h"
#include "viz/plots/importance_view.h"
#include "viz/plots/stabilization_panel.h"
#include "viz/plots/timing_panel.h"
#include "viz/series/timing_bars.h"
#include "viz/text/find_bar.h"
#include "viz/text/tokens_panel.h"
#include "viz/text/tokens_view.h"

#include <QLineEdit>
#include <QMouseEvent>
#include <QScrollBar>
#include <QtTest>
#include <numeric>

using namespace fkv;
using namespace fkv::viz;

namespace {

constexpr std::int64_t kTokens = 1'048'576;
constexpr int kLayers = 8;

const trace::RunPtr& millionRun() {
    static const trace::RunPtr run = testing::makeRun({.tokens = kTokens,
                                                       .layers = kLayers,
                                                       .queryHeads = 2,
                                                       .kvHeads = 2,
                                                       .settings = {.tspLayer = 3},
                                                       .halfSums = true});
    return run;
}

void moveTo(QWidget& widget, const QPoint& at) {
    QMouseEvent move(QEvent::MouseMove, at, widget.mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                     Qt::NoModifier);
    QApplication::sendEvent(&widget, &move);
    QCoreApplication::processEvents();
}

template <class P>
struct Stage {
    explicit Stage(const QSize& size) : panel(f.context()) {
        panel.resize(size);
        panel.show();
        f.show(millionRun());
        QCoreApplication::processEvents();
    }
    void move(const std::function<void(trace::Settings&)>& change) {
        trace::Settings settings = f.settings.settings();
        change(settings);
        f.move(settings);
        QCoreApplication::processEvents();
    }
    testing::ViewFixture f;
    P panel;
};

} // namespace

class TestMillionTokens : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theTextEndsWithTheLastToken() {
        Stage<TokensPanel> s({280, 640});
        TokensView& view = s.panel.view();
        const TokenPage& page = view.page();
        // Every token stands on one line, in order.
        std::int64_t next = 0;
        for (std::int64_t line = 0; line < page.lines(); ++line) {
            QCOMPARE(page.layout().tokens(line).begin, next);
            next = page.layout().tokens(line).end;
        }
        QCOMPARE(next, kTokens);
        QTest::keyClick(&view, Qt::Key_End, Qt::ControlModifier);
        QCOMPARE(view.visibleTokens().end, kTokens);
        QCOMPARE(view.verticalScrollBar()->value(), view.verticalScrollBar()->maximum());
        // Only what is seen was shaped.
        s.panel.grab();
        QVERIFY2(page.linesShaped() < 200, qPrintable(QString::number(page.linesShaped())));
        const QPoint last =
            page.rectOf(kTokens - 1).center() - QPoint(0, view.verticalScrollBar()->value());
        QVERIFY(view.viewport()->rect().contains(last));
        moveTo(*view.viewport(), last);
        QCOMPARE(s.f.selection.hover().token, kTokens - 1);
        QVERIFY(s.panel.readout().contains(QStringLiteral("1,048,575")));
        QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, last - QPoint(0, page.lineHeight()));
        QVERIFY(s.f.selection.pinnedToken() > kTokens - 40);
        testing::savePicture(s.panel, QStringLiteral("million-tokens"));
    }
    void findReachesAcrossTheText() {
        Stage<TokensPanel> s({280, 640});
        TokensView& view = s.panel.view();
        QTest::keyClick(&view, Qt::Key_F, Qt::ControlModifier);
        auto* needle = s.panel.findBar().findChild<QLineEdit*>();
        QTest::keyClicks(needle, QStringLiteral("password"));
        QCOMPARE(s.f.selection.hits().size(), std::size_t{1});
        const std::int64_t begin = testing::needleBegin({.tokens = kTokens}) + 1;
        QCOMPARE(s.f.selection.hits()[0], (TokenRange{begin, begin + 2}));
        QVERIFY(view.visibleTokens().has(begin));
        // More than can be counted is said, not collected.
        needle->selectAll();
        QTest::keyClicks(needle, QStringLiteral("a"));
        QVERIFY(s.panel.findBar().countText().endsWith(QLatin1Char('+')));
        QTest::keyClick(needle, Qt::Key_Return);
        QVERIFY(!s.panel.grab().isNull());
    }
    void theMapAddsUpAndReachesTheEnd() {
        Stage<ImportancePanel> s({748, 220});
        ImportanceView& map = *s.panel.map();
        const trace::Budgets budgets = s.f.shown.fate()->budgets;
        const auto passing = [&] {
            const auto& ribbon = map.image().ribbon();
            return std::accumulate(ribbon.begin(), ribbon.end(), std::int64_t{0});
        };
        QCOMPARE(passing(), budgets.propagated - budgets.window);
        const PositionAxis& axis = map.image().axis();
        QCOMPARE(axis.tokensOf(axis.cells() - 1).end, kTokens - 8);
        // The needle lights its cell from the layers on where it rises.
        const std::int64_t needle = testing::needleBegin({.tokens = kTokens});
        const int cell = axis.cellOf(needle);
        const std::int64_t best = map.image().bestToken(kLayers - 1, cell);
        // Pooling makes a plateau of it, three tokens wider at either side.
        QVERIFY(best >= needle - 3 && best < needle + testing::kNeedleTokens + 3);
        const ImportanceLayout place = map.layoutNow();
        moveTo(map, {place.plotLeft + axis.width() - 1, place.row(kLayers - 1).center().y()});
        QVERIFY(s.f.selection.hover().token > kTokens - 8 - 2 * axis.tokensPerCell());
        QVERIFY(s.panel.readout().contains(QStringLiteral("1,048,")));
        testing::savePicture(s.panel, QStringLiteral("million-map"));
        s.f.selection.setRange({kTokens - 40, kTokens});
        QCoreApplication::processEvents();
        QCOMPARE(map.image().axis().visible().end, kTokens - 8);
        QVERIFY(!s.panel.grab().isNull());
        s.move([](trace::Settings& to) { to.tsp = trace::Amount::ofRate(0.9); });
        s.f.selection.fit();
        QCoreApplication::processEvents();
        QCOMPARE(passing(), s.f.shown.fate()->budgets.propagated - budgets.window);
        for (const auto mode : {ViewOptions::FateMode::Kv, ViewOptions::FateMode::Tsp})
            for (const auto scale : {ViewOptions::Scale::Mass, ViewOptions::Scale::Rank}) {
                s.f.options.setFateMode(mode);
                s.f.options.setScale(scale);
                QVERIFY(!s.panel.grab().isNull());
            }
        QVERIFY(s.panel.csv().count(QLatin1Char('\n')) >= kTokens - 8);
    }
    void everyHeadKeepsWhatIsAsked() {
        Stage<HeadsPanel> s({500, 190});
        QTRY_VERIFY(!s.panel.model().indexing());
        for (int view = 0; view < s.panel.viewNames().size(); ++view) {
            s.panel.setView(view);
            s.f.selection.pinHead(view % kLayers, view % 2);
            moveTo(s.panel.grid(), s.panel.grid().rect().center());
            QVERIFY(!s.panel.readout().isEmpty());
            testing::savePicture(s.panel, QStringLiteral("million-heads-%1").arg(view));
        }
        for (const double rate : {0.001, 0.5, 1.0})
            s.move([rate](trace::Settings& to) { to.kv = trace::Amount::ofRate(rate); });
        QVERIFY(!s.panel.grab().isNull());
        const trace::Budgets& budgets = s.f.shown.fate()->budgets;
        QCOMPARE(budgets.fullKvBytes,
                 kTokens * kLayers * 2 * s.f.shown.run()->model.kvBytesPerTokenHead());
        s.panel.setView(0);
        QCOMPARE(s.panel.csv().count(QLatin1Char('\n')), 1 + kLayers * 2);
    }
    void theOtherPanelsCountToAMillion() {
        const QSize size(700, 190);
        Stage<StabilizationPanel> curves(size);
        const std::int64_t needle = testing::needleBegin({.tokens = kTokens});
        curves.f.selection.addSpan({needle, needle + testing::kNeedleTokens},
                                   QStringLiteral("fact"));
        for (int view = 0; view < curves.panel.viewNames().size(); ++view) {
            curves.panel.setView(view);
            QVERIFY(!curves.panel.grab().isNull());
            testing::savePicture(curves.panel, QStringLiteral("million-curves-%1").arg(view));
        }
        curves.panel.setView(StabilizationPanel::Tracked);
        QVERIFY(!curves.panel.readout().contains(QLatin1Char('-')));
        Stage<TimingPanel> timing(size);
        for (int view = 0; view < timing.panel.viewNames().size(); ++view) {
            timing.panel.setView(view);
            QVERIFY(!timing.panel.grab().isNull());
        }
        // Pairs of a million tokens are more than 32 bits hold, and their floor is still a time.
        auto peaked = std::make_shared<trace::Run>(*millionRun());
        peaked->model.intermediate = 4096;
        peaked->timing.peaks = trace::DevicePeaks{1e15, 4e12};
        const trace::FatePtr fate = testing::makeFate(peaked);
        const TimingTotals totals = timingTotals(*peaked, *fate, timingBars(*peaked, *fate));
        const double pairs = 0.5 * 1048576.0 * 1048577.0;
        QVERIFY(*totals.floors.full > 4.0 * 2 * 64 * pairs * kLayers / 1e15 * 1e3);
        QVERIFY(*totals.floors.full < 10.0 * *totals.floors.fastKv);
        Stage<AnswersPanel> answers(size);
        QVERIFY(!answers.panel.grab().isNull());
    }
};

QTEST_MAIN(TestMillionTokens)
#include "test_million_tokens.moc"
