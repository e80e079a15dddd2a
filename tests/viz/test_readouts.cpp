// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fit.h"
#include "tests/support/view_fixture.h"
#include "viz/plots/readouts_view.h"
#include "viz/series/answer_lines.h"

#include <QFontMetrics>
#include <QLineEdit>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using testing::SyntheticSpec;
using testing::ViewFixture;

namespace {

struct Window {
    explicit Window(int width = 248) : f(SyntheticSpec{.tokens = 1000}), view(f.context()) {
        view.resize(width, 330);
        view.show();
        (void)QTest::qWaitForWindowExposed(&view);
    }
    ~Window() {
        f.theme.setPresenter(false);
        f.theme.setChoice(Theme::Choice::Light);
    }
    QLineEdit* editor() { return view.findChildren<QLineEdit*>().back(); }
    QLineEdit* gib() { return view.findChildren<QLineEdit*>().front(); }
    void clickTarget(Metric metric) {
        QTest::mouseClick(&view, Qt::LeftButton, {}, view.targetRect(metric).center());
    }
    void type(Metric metric, const QString& text) {
        clickTarget(metric);
        editor()->clear();
        QTest::keyClicks(editor(), text);
        QTest::keyClick(editor(), Qt::Key_Return);
    }
    template <class Change>
    void changeRun(Change change) {
        auto run = std::make_shared<trace::Run>(*f.shown.run());
        change(*run);
        f.shown.setRun(run, f.shown.fate());
    }
    void move(double tsp, double kv) {
        trace::Settings to = f.settings.settings();
        to.tsp = trace::Amount::ofRate(tsp);
        to.kv = trace::Amount::ofRate(kv);
        f.move(to);
    }

    ViewFixture f;
    ReadoutsView view;
};

} // namespace

class TestReadouts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void targetsAreRead_data() {
        QTest::addColumn<int>("metric");
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("ok");
        QTest::addColumn<bool>("atMost");
        QTest::addColumn<double>("value");
        const auto row = [](Metric m, const char* text, bool ok, bool atMost = true,
                            double value = 0.0) {
            QTest::newRow(text) << static_cast<int>(m) << QString::fromUtf8(text) << ok << atMost
                                << value;
        };
        row(Metric::FirstToken, "<= 500 ms", true, true, 500);
        row(Metric::FirstToken, "≤500ms", true, true, 500);
        row(Metric::FirstToken, "500", true, true, 500);
        row(Metric::FirstToken, "< 1.5 s", true, true, 1500);
        row(Metric::FirstToken, ">= 1,500", true, false, 1500);
        row(Metric::KvBytes, "2 GiB", true, true, 2.0 * 1024 * 1024 * 1024);
        row(Metric::KvBytes, "<= 300", true, true, 300.0 * 1024 * 1024);
        row(Metric::FirstKl, "<= 5e-2", true, true, 0.05);
        row(Metric::FirstKl, ".05 nats", true, true, 0.05);
        row(Metric::Top1, "90 %", true, false, 0.9);
        row(Metric::Top1, ">= 0.9", true, false, 0.9);
        row(Metric::Sequences, "8", true, false, 8);
        row(Metric::FirstToken, "", false);
        row(Metric::FirstToken, "fast", false);
        row(Metric::FirstToken, "<= 2 GiB", false);
        row(Metric::FirstToken, "-5", false);
        row(Metric::FirstToken, "1e999", false);
        row(Metric::KvBytes, "5 %", false);
        row(Metric::FirstToken, "<= 5 ms now", false);
    }
    void targetsAreRead() {
        QFETCH(int, metric);
        QFETCH(QString, text);
        QFETCH(bool, ok);
        QFETCH(bool, atMost);
        QFETCH(double, value);
        const auto target = parseTarget(static_cast<Metric>(metric), text);
        QCOMPARE(target.has_value(), ok);
        if (!ok) return;
        QCOMPARE(target->atMost, atMost);
        QVERIFY(std::fabs(target->value - value) <= 1e-9 * value);
        const auto again = parseTarget(static_cast<Metric>(metric),
                                       savedTarget(static_cast<Metric>(metric), *target));
        QVERIFY(again.has_value() && again->atMost == atMost);
        QVERIFY(std::fabs(again->value - value) <= 1e-9 * value);
    }
    void numbersAreThoseOfTheRun() {
        Window w;
        const trace::Run& run = *w.f.shown.run();
        QCOMPARE(w.view.reading(Metric::FirstToken).full, *run.timing.fullPrefillMs);
        QVERIFY(w.view.rowText(Metric::FirstToken).method.startsWith(QStringLiteral("Σ ")));
        QCOMPARE(w.view.rowText(Metric::PerToken).ratio, QStringLiteral("1.45×"));
        QCOMPARE(w.view.reading(Metric::KvBytes).method,
                 static_cast<double>(w.f.shown.fate()->budgets.kvBytes));
        QCOMPARE(w.view.reading(Metric::MeanKl).method, run.fidelity->meanKl());
        QCOMPARE(w.view.rowText(Metric::Top1).method, QStringLiteral("83.3 %"));
        QCOMPARE(w.view.rowText(Metric::FirstKl).method, QStringLiteral("3e-5"));
        const double fit =
            std::floor(16.0 * 1024 * 1024 * 1024 / w.view.reading(Metric::KvBytes).method);
        QCOMPARE(w.view.reading(Metric::Sequences).method, fit);
    }
    void sampledAnswersSaySo() {
        Window w;
        const QString greedy = w.view.tip(Metric::MeanKl);
        QCOMPARE(w.view.fidelityCaption(), QStringLiteral("fidelity · 1 prompt, no evaluation"));
        w.changeRun([](trace::Run& run) {
            auto pass = std::make_shared<trace::FastKvPass>(*run.fastkv);
            pass->settings.sampling = {0.7, 40, 1.0, 3};
            run.fastkv = pass;
        });
        QCOMPARE(w.view.fidelityCaption(), QStringLiteral("fidelity · 1 prompt, sampled"));
        QCOMPARE(w.view.tip(Metric::MeanKl),
                 greedy +
                     QStringLiteral(" The answer was sampled: temperature 0.7, top-k 40, seed 3."));
        QCOMPARE(w.view.tip(Metric::KvBytes), tipOf(Metric::KvBytes));
    }
    void measuredTimesAreMediansOfBothSides() {
        Window w;
        w.changeRun([](trace::Run& run) { run.timing.standaloneFullMs = {900.0, 1000.0, 5000.0}; });
        // One side alone is no comparison: still composed.
        QVERIFY(w.view.rowText(Metric::FirstToken).method.startsWith(QStringLiteral("Σ ")));
        w.changeRun([](trace::Run& run) {
            run.timing.standaloneFastKvMs = {400.0, 600.0};
            run.counters.standaloneFullPeakBytes = 800 << 20;
            run.counters.standaloneFastKvPeakBytes = 400 << 20;
        });
        QCOMPARE(w.view.rowText(Metric::FirstToken).full, QStringLiteral("1,000 ms"));
        QCOMPARE(w.view.rowText(Metric::FirstToken).method, QStringLiteral("500 ms"));
        QCOMPARE(w.view.rowText(Metric::PeakMemory).ratio, QStringLiteral("2.00×"));
    }
    void aKvMoveKeepsTheFirstToken() {
        Window w;
        w.move(0.2, 0.3);
        QVERIFY(!w.view.reading(Metric::FirstKl).pending);
        QVERIFY(!w.view.reading(Metric::FirstToken).pending);
        QVERIFY(!w.view.reading(Metric::KvBytes).pending);
        for (const Metric m : {Metric::PerToken, Metric::MeanKl, Metric::Top1}) {
            QVERIFY(w.view.reading(m).pending);
            QVERIFY(w.view.rowText(m).method.startsWith(QStringLiteral("○ ")));
        }
        QVERIFY(tipOf(Metric::FirstKl).contains(QStringLiteral("KV budget")));
    }
    void aTspMoveMakesTheFirstTokenPending() {
        Window w;
        w.move(0.1, 0.1);
        QVERIFY(w.view.reading(Metric::FirstKl).pending);
        QVERIFY(w.view.reading(Metric::FirstToken).pending);
        w.move(0.2, 0.1);
        QVERIFY(!w.view.reading(Metric::FirstKl).pending);
    }
    void oldValuesStayUntilNewOnesCome() {
        Window w;
        const double mean = w.view.reading(Metric::MeanKl).method;
        w.changeRun([](trace::Run& run) {
            run.fastkvAnswer = nullptr;
            run.fidelity = nullptr;
        });
        QVERIFY(w.view.reading(Metric::MeanKl).pending);
        QCOMPARE(w.view.reading(Metric::MeanKl).method, mean);
        // The first token's KL follows from the logits at once.
        const trace::Run& run = *w.f.shown.run();
        QCOMPARE(w.view.reading(Metric::FirstKl).method,
                 klOfLogits(run.full->logits, run.fastkv->logits));
        QVERIFY(!w.view.reading(Metric::FirstKl).pending);
        w.f.show(testing::makeRun({.tokens = 300, .answers = false}));
        QVERIFY(std::isnan(w.view.reading(Metric::MeanKl).method)); // of another prompt
        w.f.shown.setRun(nullptr, nullptr);
        QCOMPARE(w.view.rowText(Metric::FirstToken).method, QStringLiteral("–"));
    }
    void targetsAreEditedInPlace() {
        Window w;
        QSignalSpy changed(&w.view, &ReadoutsView::targetsChanged);
        w.type(Metric::FirstToken, QStringLiteral("<= 900 ms"));
        QCOMPARE(w.view.rowText(Metric::FirstToken).target, QStringLiteral("≤ 900 ms ✔ met"));
        QCOMPARE(changed.count(), 1);
        QVERIFY(!w.editor()->isVisible());
        QVERIFY(w.view.hasFocus());
        w.type(Metric::FirstToken, QStringLiteral("800"));
        QCOMPARE(w.view.rowText(Metric::FirstToken).target, QStringLiteral("≤ 800 ms ✖ missed"));
        w.move(0.1, 0.1);
        QCOMPARE(w.view.rowText(Metric::FirstToken).target, QStringLiteral("≤ 800 ms ○ open"));
    }
    void anUnreadableTargetStaysInItsField() {
        Window w;
        w.type(Metric::PerToken, QStringLiteral("soon"));
        QVERIFY(w.editor()->isVisible());
        QVERIFY(!w.view.target(Metric::PerToken));
        testing::savePicture(w.view, QStringLiteral("readouts-invalid"));
        QTest::keyClick(w.editor(), Qt::Key_Escape);
        QVERIFY(!w.editor()->isVisible());
        QVERIFY(w.view.hasFocus());
    }
    void keysChooseEditAndRemove() {
        Window w;
        w.view.setFocus();
        QTest::keyClick(&w.view, Qt::Key_Down);
        QVERIFY(w.view.accessibleDescription().startsWith(nameOf(Metric::PerToken)));
        QTest::keyClick(&w.view, Qt::Key_F2);
        QVERIFY(w.editor()->hasFocus());
        QTest::keyClicks(w.editor(), QStringLiteral("5"));
        QTest::keyClick(w.editor(), Qt::Key_Return);
        QCOMPARE(w.view.target(Metric::PerToken), (std::optional<Target>{{true, 5.0}}));
        QTest::keyClick(&w.view, Qt::Key_Delete);
        QVERIFY(!w.view.target(Metric::PerToken));
    }
    void leavingTheFieldTakesItOver() {
        Window w;
        w.clickTarget(Metric::PerToken);
        QTest::keyClicks(w.editor(), QStringLiteral("7"));
        w.gib()->setFocus();
        QCOMPARE(w.view.target(Metric::PerToken), (std::optional<Target>{{true, 7.0}}));
    }
    void memoryForSequencesIsEdited() {
        Window w;
        const double before = w.view.reading(Metric::Sequences).method;
        w.gib()->setFocus();
        w.gib()->selectAll();
        QTest::keyClicks(w.gib(), QStringLiteral("32"));
        QTest::keyClick(w.gib(), Qt::Key_Return);
        QVERIFY(w.view.reading(Metric::Sequences).method >= 2.0 * before);
        w.gib()->selectAll();
        QTest::keyClicks(w.gib(), QStringLiteral("lots"));
        QTest::keyClick(w.gib(), Qt::Key_Return);
        QCOMPARE(w.view.gib(), 32.0);
        QCOMPARE(w.gib()->text(), QStringLiteral("32"));
    }
    void targetsAreSavedAndRestored() {
        Window w;
        w.type(Metric::FirstToken, QStringLiteral("<= 512.25 ms"));
        w.type(Metric::Top1, QStringLiteral("95 %"));
        const QVariantMap saved = w.view.targets();
        Window other;
        other.view.setTargets(saved);
        for (const Metric m : {Metric::FirstToken, Metric::Top1, Metric::KvBytes})
            QCOMPARE(other.view.target(m), w.view.target(m));
        other.view.setTargets({{QStringLiteral("gib"), QStringLiteral("many")},
                               {QStringLiteral("firstToken"), 7},
                               {QStringLiteral("perToken"), QStringLiteral("x")},
                               {QStringLiteral("unknown"), 1}});
        QCOMPARE(other.view.gib(), 16.0);
        QVERIFY(!other.view.target(Metric::PerToken));
    }
    void csvHasALineAMetric() {
        Window w;
        const QStringList lines = w.view.csv().split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(lines.size(), static_cast<qsizetype>(kMetrics) + 1);
        for (const QString& line : lines)
            QCOMPARE(line.count(u','), 7);
    }
    void wordsFit_data() {
        QTest::addColumn<int>("width");
        QTest::addColumn<bool>("presenter");
        QTest::addColumn<bool>("longWords");
        QTest::newRow("usual") << 248 << false << false;
        QTest::newRow("beside a scroll bar") << 234 << false << false;
        QTest::newRow("long words") << 248 << false << true;
        QTest::newRow("presenter") << 372 << true << false;
        QTest::newRow("wide") << 600 << false << false;
    }
    void wordsFit() {
        QFETCH(int, width);
        QFETCH(bool, presenter);
        QFETCH(bool, longWords);
        std::unique_ptr<testing::LongWords> words;
        if (longWords) words = std::make_unique<testing::LongWords>();
        for (const auto choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
            Window w(width);
            w.f.theme.setPresenter(presenter);
            w.f.theme.setChoice(choice);
            w.view.setTargets({{QStringLiteral("firstToken"), QStringLiteral("<= 500 ms")},
                               {QStringLiteral("perToken"), QStringLiteral("<= 3 ms")},
                               {QStringLiteral("top1"), QStringLiteral(">= 90 %")}});
            w.move(0.1, 0.1); // pending and composed: the widest
            w.view.resize(width, w.view.geometry(width).height);
            QCoreApplication::processEvents();
            const QFontMetrics small(w.f.theme.smallFont()), metrics(w.f.theme.font());
            for (std::size_t i = 0; i < kMetrics; ++i) {
                const auto m = static_cast<Metric>(i);
                const ReadoutsView::RowText text = w.view.rowText(m);
                const auto fits = [&](const QFontMetrics& by, const QString& what,
                                      const QRect& room) {
                    const bool inside = w.view.rect().contains(room);
                    const bool fit = by.horizontalAdvance(what) <= room.width();
                    return (inside && fit) ? QString()
                                           : QStringLiteral("%1 needs %2 of %3")
                                                 .arg(what)
                                                 .arg(by.horizontalAdvance(what))
                                                 .arg(room.width());
                };
                for (const QString& fault : {fits(small, text.name, w.view.nameRect(m)),
                                             fits(small, text.target, w.view.targetRect(m)),
                                             fits(metrics, text.full, w.view.valueRect(m, 0)),
                                             fits(metrics, text.method, w.view.valueRect(m, 1)),
                                             fits(metrics, text.ratio, w.view.valueRect(m, 2))})
                    QVERIFY2(fault.isEmpty(), qPrintable(fault));
                QVERIFY(!w.view.nameRect(m).intersects(w.view.targetRect(m)));
            }
            const QStringList faults = testing::tooNarrow(w.view);
            QVERIFY2(faults.isEmpty(), qPrintable(faults.join(u'\n')));
            testing::savePicture(w.view,
                                 QStringLiteral("readouts-%1-%2")
                                     .arg(QString::fromLatin1(QTest::currentDataTag()),
                                          choice == Theme::Choice::Dark ? QStringLiteral("dark")
                                                                        : QStringLiteral("light")));
        }
    }
    void everyStateHasAPicture() {
        Window w;
        const auto picture = [&](const char* name) {
            QCoreApplication::processEvents();
            testing::savePicture(w.view, QStringLiteral("readouts-state-") + QLatin1String(name));
        };
        w.type(Metric::FirstToken, QStringLiteral("<= 900 ms"));
        picture("exact");
        w.move(0.2, 0.3);
        picture("kv-moved");
        w.move(0.1, 0.3);
        picture("tsp-moved");
        w.clickTarget(Metric::KvBytes);
        picture("editing");
        w.f.shown.setRun(nullptr, nullptr);
        picture("empty");
    }
};

QTEST_MAIN(TestReadouts)
#include "test_readouts.moc"
