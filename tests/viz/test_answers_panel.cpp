// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fit.h"
#include "tests/viz/answers_stage.h"
#include "viz/plots/answers_paint.h"
#include "viz/plots/figure_export.h"
#include "viz/series/answer_lines.h"

#include <QScrollBar>
#include <QTemporaryDir>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using testing::answerOf;
using Window = testing::AnswersStage;
using trace::AnswerEnd;

namespace {

AnswerLines lines(const std::vector<std::string>& full, const std::vector<std::string>& method,
                  AnswerEnd end = AnswerEnd::Count) {
    return alignAnswers(answerOf(full).get(), {answerOf(method, end), nullptr, {}});
}

} // namespace

class TestAnswersPanel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void verdicts_data() {
        using Words = std::vector<std::string>;
        QTest::addColumn<Words>("full");
        QTest::addColumn<Words>("method");
        QTest::addColumn<int>("end");
        QTest::addColumn<QString>("verdict");
        constexpr int ended = static_cast<int>(AnswerEnd::Count);
        constexpr int growing = static_cast<int>(AnswerEnd::Growing);
        constexpr int stopped = static_cast<int>(AnswerEnd::Stopped);
        const Words full{"gentle", " need", "le", "\n", "Q"};
        QTest::newRow("same") << full << full << ended
                              << QStringLiteral("✔ agrees on 4 of 4 tokens");
        QTest::newRow("no newline") << Words{"a", "b"} << Words{"a", "b"} << ended
                                    << QStringLiteral("✔ agrees on 2 of 2 tokens");
        QTest::newRow("first token") << full << Words{"iron", " need", "le", "\n", "Q"} << ended
                                     << QStringLiteral("✖ differs from token 1");
        QTest::newRow("after the newline")
            << full << Words{"gentle", " need", "le", "\n", "X"} << ended
            << QStringLiteral("✔ agrees on 4 of 4 tokens, after the newline differs from token 5");
        QTest::newRow("ended early") << full << Words{"gentle", " need"} << ended
                                     << QStringLiteral("✖ differs from token 3");
        QTest::newRow("goes on longer") << Words{"a", "b"} << Words{"a", "b", "c"} << ended
                                        << QStringLiteral("✖ differs from token 3");
        QTest::newRow("growing") << full << Words{"gentle", " need"} << growing
                                 << QStringLiteral("agrees so far, 2 of 4 tokens");
        QTest::newRow("growing apart") << full << Words{"gentle", " thread"} << growing
                                       << QStringLiteral("✖ differs from token 2");
        QTest::newRow("growing, the newline is there")
            << full << Words{"gentle", " need", "le", "\n"} << growing
            << QStringLiteral("✔ agrees on 4 of 4 tokens");
        QTest::newRow("stopped") << full << Words{"gentle", " need"} << stopped
                                 << QStringLiteral("agrees so far, 2 of 4 tokens");
        QTest::newRow("ended by itself")
            << full << Words{"gentle", " need"} << static_cast<int>(AnswerEnd::EndOfSequence)
            << QStringLiteral("✖ differs from token 3");
        QTest::newRow("nothing yet") << full << Words{} << growing << QString();
    }
    void verdicts() {
        using Words = std::vector<std::string>;
        QFETCH(Words, full);
        QFETCH(Words, method);
        QFETCH(int, end);
        QFETCH(QString, verdict);
        QCOMPARE(verdictOf(lines(full, method, static_cast<AnswerEnd>(end))), verdict);
    }
    void boxesShowNewlinesAndBytes() {
        const AnswerLines l = lines({"a", "\xE2", "\n"}, {"a"});
        QCOMPARE(l.columns.size(), std::size_t{3});
        QCOMPARE(l.columns[1].full->kind, TokenShape::Kind::Pill);
        QCOMPARE(l.columns[1].full->label, QStringLiteral("<E2>"));
        QCOMPARE(l.columns[2].full->label, QStringLiteral("↵"));
        QVERIFY(!l.columns[2].method.has_value());
    }
    void expectedAnswerEndsAtTheNewline() {
        const auto answer = answerOf({" gentle", " needle", "\n", "Question"});
        QCOMPARE(holds(answer.get(), "gentle needle"), std::optional(true));
        QCOMPARE(holds(answer.get(), "gentle"), std::optional(false));
        QCOMPARE(holds(answer.get(), ""), std::optional<bool>());
        QCOMPARE(holds(nullptr, "x"), std::optional<bool>());
        // Without a newline only an answer that is complete says something.
        const auto part = [](AnswerEnd end, const char* expected) {
            return holds(answerOf({" gentle"}, end).get(), expected);
        };
        for (const AnswerEnd end : {AnswerEnd::Growing, AnswerEnd::Stopped}) {
            QCOMPARE(part(end, "gentle needle"), std::optional<bool>());
            QCOMPARE(part(end, "gentle"), std::optional<bool>());
            QCOMPARE(holds(answerOf({" gentle", "\n"}, end).get(), "gentle"), std::optional(true));
        }
        QCOMPARE(part(AnswerEnd::Count, "gentle needle"), std::optional(false));
        QCOMPARE(part(AnswerEnd::EndOfSequence, "gentle"), std::optional(true));
    }
    void klIsDrawnOnALogScale() {
        QCOMPARE(klShare(0.0), 0.0);
        QCOMPARE(klShare(1e-5), 0.0);
        QVERIFY(std::fabs(klShare(std::pow(10.0, -1.5)) - 0.5) < 1e-9);
        QCOMPARE(klShare(10.0), 1.0);
        QCOMPARE(klShare(50.0), 1.0);
        QCOMPARE(klShare(std::nan("")), 0.0);
    }
    void klOfLogitsIsKl() {
        const std::vector<float> a{1.0F, 2.0F, 0.5F}, b{0.5F, 1.0F, 3.0F};
        double sumA = 0.0, sumB = 0.0, kl = 0.0;
        for (std::size_t i = 0; i < 3; ++i) {
            sumA += std::exp(static_cast<double>(a[i]));
            sumB += std::exp(static_cast<double>(b[i]));
        }
        for (std::size_t i = 0; i < 3; ++i) {
            const double p = std::exp(static_cast<double>(a[i])) / sumA;
            kl += p * std::log(p / (std::exp(static_cast<double>(b[i])) / sumB));
        }
        QVERIFY(std::fabs(klOfLogits(a, b) - kl) < 1e-12);
        QCOMPARE(klOfLogits(a, a), 0.0);
        QVERIFY(std::isnan(klOfLogits(a, {})));
    }
    void survivalCountsTokensAndLayers() {
        const trace::RunPtr run = testing::makeRun({.tokens = 1000});
        const trace::FatePtr fate = testing::makeFate(run);
        const SpanSurvival s = survivalOf(*fate, {400, 409});
        int layers = 0;
        for (int l = 0; l < 16; ++l) {
            bool any = false;
            for (std::int64_t i = 400; i < 409; ++i)
                any |= fate->keptHeads(l, i) > 0;
            layers += any ? 1 : 0;
        }
        QCOMPARE(s.layersKept, layers);
        QCOMPARE(s.passing, fate->passes.count(400, 409));
        QCOMPARE(describeSurvival(QStringLiteral("fact"), s),
                 QStringLiteral("fact: 9 tokens, %1 pass TSP, kept by some head in %2 of 16 layers")
                     .arg(s.passing)
                     .arg(layers));
    }
    void pointingShowsBothTopFive() {
        Window w;
        QTest::mouseMove(w.view().viewport(), w.at(2));
        QCOMPARE(w.view().step(), 2);
        QVERIFY2(w.panel.readout().startsWith(
                     QStringLiteral("token 3 · KL 6.20 nats · full: \" word0\" 90")),
                 qPrintable(w.panel.readout()));
        QVERIFY(w.panel.readout().contains(QStringLiteral("FastKV: ")));
        QVERIFY(w.panel.readout().count(QStringLiteral("word4")) == 2);
        QTest::mouseMove(w.view().viewport(), QPoint(2, 2));
        QCOMPARE(w.view().step(), -1);
    }
    void stepsCanBeWalkedWithKeys() {
        Window w;
        QTest::keyClick(&w.view(), Qt::Key_Right, Qt::ControlModifier);
        QTest::keyClick(&w.view(), Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(w.view().step(), 1);
        QTest::keyClick(&w.view(), Qt::Key_Escape);
        QCOMPARE(w.view().step(), -1);
        w.f.selection.setHover({10, {}, 7, -1});
        QTest::keyClick(&w.view(), Qt::Key_Right); // plain arrows walk over the prompt
        QCOMPARE(w.f.selection.hover().token, std::int64_t{11});
    }
    void onlyTheAnswerIsShownUntilAskedFor() {
        Window w;
        QCOMPARE(w.view().geometry().left.size(), std::size_t{4}); // up to the newline
        w.panel.setView(1);
        QCOMPARE(w.view().geometry().left.size(), std::size_t{6});
    }
    void aMovedSliderDimsTheOldAnswer() {
        Window w;
        QVERIFY(!w.content().pending);
        const QString settings = w.content().settings;
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Rerun"), 0.4);
        w.moveTsp(0.1);
        QVERIFY(w.content().pending);
        QVERIFY(w.view().spinning());
        QCOMPARE(w.content().settings, QStringLiteral("of ") + settings); // of the old ones
        QVERIFY(w.content().survival.contains(QStringLiteral("≈")));
        w.f.shown.setPhase(Shown::Phase::Cancelled, {}, 0.0);
        QVERIFY(w.content().pending);
        QVERIFY(!w.view().spinning());
        w.moveTsp(0.2);
        QVERIFY(!w.content().pending);
    }
    void theOldAnswerStaysUntilTheNewOneComes() {
        Window w;
        const QString old = w.content().settings;
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Rerun"), 0.4);
        w.moveTsp(0.1);
        // The rerun is in, its answer is not.
        const trace::RunPtr rerun = w.changed([&](trace::Run& run) {
            auto pass = std::make_shared<trace::FastKvPass>(*run.fastkv);
            pass->settings = w.f.settings.settings();
            run.fastkv = pass;
            run.fastkvAnswer = nullptr;
            run.fidelity = nullptr;
        });
        w.f.shown.setRun(rerun, w.f.shown.fate());
        QVERIFY(w.content().pending);
        QCOMPARE(w.content().settings, QStringLiteral("of ") + old);
        QCOMPARE(w.content().lines.methodTokens, std::int64_t{6});
        // It streams in.
        const trace::RunPtr growing = w.changed([](trace::Run& run) {
            run.fastkvAnswer = answerOf({" iron"}, AnswerEnd::Growing);
            auto first = std::make_shared<trace::Fidelity>();
            first->kl = {0.5};
            first->sameTop1 = {0};
            run.fidelity = first;
        });
        w.f.shown.setRun(growing, w.f.shown.fate());
        QVERIFY(!w.content().pending);
        QVERIFY(!w.view().spinning());
        QCOMPARE(w.content().verdict, QStringLiteral("✖ differs from token 1"));
        QVERIFY(!w.content().fidelity.contains(QStringLiteral("mean"))); // one step is no mean
        QVERIFY(w.content().settings.contains(QStringLiteral("KV 10 %")));
        QCOMPARE(w.content().methodHolds, std::optional<bool>());
    }
    void anotherPromptDropsTheAnswers() {
        Window w;
        w.f.show(testing::makeRun({.tokens = 400, .answers = false}));
        QCOMPARE(w.content().lines.columns.size(), std::size_t{0});
        w.f.shown.setRun(nullptr, nullptr);
        QVERIFY(w.panel.csv().count(u'\n') == 1);
    }
    void recordedAnswersSayThatTheModelIsMissing() {
        Window w;
        const trace::RunPtr recorded = w.changed([](trace::Run& run) { run.recorded = true; });
        w.f.shown.setRun(recorded, w.f.shown.fate());
        QVERIFY(!w.content().pending);
        w.moveTsp(0.1);
        QVERIFY(w.content().settings.contains(QStringLiteral("open the model")));
        QVERIFY(!w.view().spinning());
    }
    void longAnswersWrapAndScroll() {
        Window w;
        std::vector<std::string> words;
        for (int i = 0; i < 60; ++i)
            words.push_back(" remember" + std::to_string(i));
        const trace::RunPtr run =
            w.changed([&](trace::Run& r) { r.fullAnswer = r.fastkvAnswer = answerOf(words); });
        w.f.shown.setRun(run, w.f.shown.fate());
        const AnswersView::Geometry& g = w.view().geometry();
        QVERIFY(g.blocks.size() > 2);
        std::size_t next = 0;
        for (const AnswersView::Block& block : g.blocks) {
            QCOMPARE(block.begin, next);
            next = block.end;
        }
        QCOMPARE(next, std::size_t{60});
        for (std::size_t i = 0; i < 60; ++i)
            QVERIFY(g.left[i] + g.width[i] <= g.right);
        QCOMPARE(w.view().verticalScrollBar()->maximum(), g.height - w.view().viewport()->height());
        QCoreApplication::processEvents();
        testing::savePicture(w.panel, QStringLiteral("answers-long"));
        w.panel.resize(1000, 400);
        QCoreApplication::processEvents();
        testing::savePicture(w.panel, QStringLiteral("answers-long-tall"));
    }
    void csvHasALineAStep() {
        Window w;
        const QStringList rows = w.panel.csv().split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(rows.size(), 7);
        for (const QString& row : rows)
            QCOMPARE(row.count(u','), rows[0].count(u','));
        QVERIFY(rows[4].contains(QStringLiteral("\"\\n\"")));
    }
    void figuresKeepTextAsText() {
        Window w;
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("answers.svg"));
        QCOMPARE(saveFigure(w.panel, path), QString());
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().contains("gentle needle"));
    }
    void nothingIsCutOff_data() {
        QTest::addColumn<QSize>("size");
        QTest::addColumn<bool>("presenter");
        QTest::addColumn<bool>("longWords");
        QTest::newRow("usual") << QSize(1000, 100) << false << false;
        QTest::newRow("usual, long words") << QSize(1000, 100) << false << true;
        QTest::newRow("presenter") << QSize(1240, 150) << true << false;
        QTest::newRow("narrow") << QSize(500, 160) << false << false;
        QTest::newRow("large") << QSize(2000, 220) << false << false;
    }
    void nothingIsCutOff() {
        QFETCH(QSize, size);
        QFETCH(bool, presenter);
        QFETCH(bool, longWords);
        std::unique_ptr<testing::LongWords> words;
        if (longWords) words = std::make_unique<testing::LongWords>();
        for (const auto choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
            Window w(size);
            w.f.theme.setChoice(choice);
            w.f.theme.setPresenter(presenter);
            QCoreApplication::processEvents();
            const AnswersView::Geometry& g = w.view().geometry();
            const QFontMetrics metrics(w.f.theme.font()), small(w.f.theme.smallFont());
            for (std::size_t i = 0; i < g.left.size(); ++i) {
                const AnswerColumn& c = w.content().lines.columns[i];
                const bool differs = static_cast<std::int64_t>(i) == w.content().lines.difference;
                QVERIFY(metrics.horizontalAdvance(answerLabel(*c.method, differs)) +
                            kAnswerPadding <=
                        g.width[i]);
                QVERIFY(metrics.horizontalAdvance(answerLabel(*c.full, false)) + kAnswerPadding <=
                        g.width[i]);
            }
            const int left = g.summaryLeft >= 0 ? g.summaryLeft : g.labelRight;
            QVERIFY(metrics.horizontalAdvance(w.content().verdict) <= g.summaryRight - left);
            QVERIFY(small.horizontalAdvance(w.content().fidelity) <= g.summaryRight - left);
            // Longer words may need the scroll bar, the usual ones must not.
            const int unseen = g.height - w.view().viewport()->height();
            QVERIFY2(longWords || unseen <= 0, qPrintable(QString::number(unseen)));
            const QStringList faults = testing::tooNarrow(w.panel);
            QVERIFY2(faults.isEmpty(), qPrintable(faults.join(u'\n')));
            testing::savePicture(w.panel,
                                 QStringLiteral("answers-%1-%2")
                                     .arg(QString::fromLatin1(QTest::currentDataTag()),
                                          choice == Theme::Choice::Dark ? QStringLiteral("dark")
                                                                        : QStringLiteral("light")));
        }
    }
    void everyStateHasAPicture() {
        Window w;
        const auto picture = [&](const char* name) {
            QCoreApplication::processEvents();
            testing::savePicture(w.panel, QStringLiteral("answers-state-") + QLatin1String(name));
        };
        picture("exact");
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Rerun"), 0.4);
        w.moveTsp(0.1);
        picture("pending");
        w.f.shown.setPhase(Shown::Phase::Failed, QStringLiteral("out of memory"), 0.0);
        picture("failed");
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Full pass"), 0.2);
        w.f.show(testing::makeRun({.tokens = 400, .answers = false}));
        w.f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Decoding"), 0.9);
        picture("decoding");
        w.f.shown.setPhase(Shown::Phase::Empty, {}, 0.0);
        w.f.shown.setRun(nullptr, nullptr);
        picture("empty");
    }
};

QTEST_MAIN(TestAnswersPanel)
#include "test_answers_panel.moc"
