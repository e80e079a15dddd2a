// SPDX-License-Identifier: GPL-3.0-or-later
// The controller with the real engine on the demo model, without a window.
#include "tests/app/engine_fixture.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QTemporaryDir>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using Phase = viz::Shown::Phase;

class TestController : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() { m_workspace = std::make_unique<Workspace>(); }
    void cleanup() { m_workspace.reset(); }

    void analysesThePromptAndDerives() {
        QVERIFY(startDemo(*m_workspace));
        const trace::Run& run = *shown().run();
        QCOMPARE(run.fullAnswer->firstLine(), run.prompt->expected);
        QVERIFY(answerHolds(run));
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QVERIFY(!shown().answersPending());
        const viz::Mark* fact = m_workspace->selection.firstSpan();
        QVERIFY(fact && fact->name == QStringLiteral("fact"));
        QCOMPARE(fact->tokens.size(), 9);
        const viz::Derived& derived = shown().derived();
        QCOMPARE(derived.exactAtK->k,
                 std::vector<std::int64_t>{shown().fate()->budgets.propagated - run.full->window});
        QCOMPARE(derived.rankVariance.size(), static_cast<std::size_t>(run.model.layers));
        QCOMPARE(derived.measured.size(), std::size_t(1));
        QCOMPARE(derived.measured[0].expectedHolds, std::optional(true));
    }

    void aMovedControlPreviewsInTheCallAndTurnsExact() {
        QVERIFY(startDemo(*m_workspace));
        trace::Settings s = settings();
        s.tspLayer = 6;
        m_workspace->settings.set(s);
        QVERIFY(shown().fate()->settings == s);
        QVERIFY(shown().fate()->state() == trace::State::Preview);
        QVERIFY(shown().answersPending() && shown().firstTokenPending());
        QVERIFY(!controller().settled());
        QVERIFY(settle(controller()));
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QVERIFY(!shown().answersPending());
        QVERIFY(shown().run()->fastkv->settings == s);
        QVERIFY(!answerHolds(*shown().run()));
        QCOMPARE(shown().derived().measured.size(), std::size_t(2));
    }

    void aKvBudgetKeepsTheFirstToken() {
        QVERIFY(startDemo(*m_workspace));
        const auto full = shown().run()->full;
        trace::Settings s = settings();
        s.kv = trace::Amount::ofRate(0.03);
        m_workspace->settings.set(s);
        QVERIFY(shown().answersPending() && !shown().firstTokenPending());
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QVERIFY(settle(controller()));
        QVERIFY(shown().run()->fastkv->settings == s);
        QCOMPARE(shown().run()->full, full);
    }

    void aDragHoldsTheEngineUntilItRests() {
        QVERIFY(startDemo(*m_workspace));
        viz::SettingsModel& model = m_workspace->settings;
        model.beginDrag();
        QElapsedTimer moved;
        moved.start();
        bool rested = false;
        for (int i = 1; i <= 6; ++i) {
            trace::Settings s = settings();
            s.tsp = trace::Amount::ofRate(0.2 + 0.02 * i);
            model.set(s);
            QVERIFY(shown().fate()->settings == s);
            QTest::qWait(Controller::kSettleMs / 4);
            // On a busy machine a pause may have been a rest.
            rested = rested || moved.restart() >= Controller::kSettleMs;
            if (!rested) QVERIFY(!controller().busy());
        }
        QTRY_VERIFY(controller().busy()); // at rest, the button still down
        model.endDrag();
        QVERIFY(settle(controller()));
        QVERIFY(shown().run()->fastkv->settings == settings());
        model.undo();
        QCOMPARE(settings().tsp.rate, 0.2); // one step for the whole drag
        QVERIFY(settle(controller()));
        QVERIFY(answerHolds(*shown().run()));
    }

    void aReleaseStartsAtOnce() {
        QVERIFY(startDemo(*m_workspace));
        viz::SettingsModel& model = m_workspace->settings;
        model.beginDrag();
        trace::Settings s = settings();
        s.tspLayer = 9;
        model.set(s);
        QVERIFY(!controller().busy());
        model.endDrag();
        QVERIFY(controller().busy());
        QVERIFY(settle(controller()));
        model.beginDrag();
        s.tspLayer = 3;
        model.set(s);
        model.cancelDrag(); // Esc: the old value, which is exact already
        QCOMPARE(settings().tspLayer, 9);
        QVERIFY(!controller().busy());
        QVERIFY(shown().fate()->state() == trace::State::Exact);
    }

    void theNewestSettingsWin() {
        QVERIFY(startDemo(*m_workspace));
        for (const int layer : {2, 4, 8, 6, 7}) {
            trace::Settings s = settings();
            s.tspLayer = layer;
            m_workspace->settings.beginDrag();
            m_workspace->settings.set(s);
            m_workspace->settings.endDrag();
            QTest::qWait(5);
        }
        QVERIFY(settle(controller()));
        QCOMPARE(shown().run()->fastkv->settings.tspLayer, 7);
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QVERIFY(answerHolds(*shown().run()));
    }

    void aFullPassIsNeverThrownAwayForASlider() {
        QVERIFY(startDemo(*m_workspace));
        bool published = false, fellBack = false;
        double most = 0.0;
        connect(&shown(), &viz::Shown::runChanged, this, [&] { published = true; });
        connect(&shown(), &viz::Shown::phaseChanged, this, [&] {
            if (published) return;
            fellBack = fellBack || shown().progress() < most;
            most = std::max(most, shown().progress());
        });
        controller().setPrompt(samplePrompt(4));
        controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(most > 0.0, kPatienceMs);
        trace::Settings s = settings();
        s.tspLayer = 5;
        s.kv = trace::Amount::ofRate(0.2);
        m_workspace->settings.set(s);
        QTest::qWait(2 * Controller::kSettleMs);
        QVERIFY2(!published, "the prompt is too short for this test");
        QVERIFY(settle(controller()));
        QVERIFY(!fellBack);
        QVERIFY(shown().run()->fastkv->settings == s);
    }

    void anotherPoolingIsScoredAgain() {
        QVERIFY(startDemo(*m_workspace));
        const std::size_t before = shown().run()->fastkv->survivors.size();
        trace::Settings s = settings();
        s.kernel = 13;
        m_workspace->settings.set(s);
        QVERIFY(shown().fate()->settings == s);
        QVERIFY(shown().fate()->layers.front().state == trace::State::Preview);
        QVERIFY(settle(controller()));
        QCOMPARE(shown().run()->full->kernel, 13);
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QCOMPARE(shown().run()->fastkv->survivors.size(), before);
    }

    void stopKeepsWhatWasShown() {
        QVERIFY(startDemo(*m_workspace));
        const trace::RunPtr before = shown().run();
        controller().setPrompt(samplePrompt(4));
        controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(shown().progress() > 0.0, kPatienceMs);
        controller().stop();
        QVERIFY(shown().phase() == Phase::Cancelled);
        QVERIFY(!controller().busy());
        QVERIFY(settle(controller()));
        QTest::qWait(50); // nothing of the stopped run comes later
        QCOMPARE(shown().run(), before);
        controller().setPrompt(samplePrompt(1));
        controller().run();
        QVERIFY(settle(controller()));
        QVERIFY(shown().phase() == Phase::Done);
        QCOMPARE(shown().run()->prompt->expected, samplePrompt(1).expected.toStdString());
        QVERIFY(answerHolds(*shown().run()));
    }

    void leavesInTheMiddleOfARun() {
        QVERIFY(startDemo(*m_workspace));
        controller().setPrompt(samplePrompt(4));
        controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(shown().progress() > 0.0, kPatienceMs);
        m_workspace.reset(); // joins
        QVERIFY(!m_workspace);
    }

    void leavesWhileTheEngineIsHeld() {
        QVERIFY(startDemo(*m_workspace));
        controller().setPrompt(samplePrompt(4));
        controller().run();
        m_workspace->settings.beginDrag();
        trace::Settings s = settings();
        s.tspLayer = 5;
        m_workspace->settings.set(s);
        QTest::qWait(20);
        m_workspace.reset();
        QVERIFY(!m_workspace);
    }

    void measuresTheDeployedPath() {
        QVERIFY(startDemo(*m_workspace));
        QVERIFY(controller().canMeasure());
        controller().measure();
        QVERIFY(settle(controller()));
        const trace::Timing& timing = shown().run()->timing;
        QCOMPARE(timing.standaloneFullMs.size(), std::size_t(Controller::kMeasureRepeats));
        QCOMPARE(timing.standaloneFastKvMs.size(), std::size_t(Controller::kMeasureRepeats));
        QVERIFY(!shown().answersPending());
    }

    void kernelsAreAskedForAndTheCpuSaysWhyNot() {
        QVERIFY(startDemo(*m_workspace));
        QVERIFY(shown().run()->timing.kernels.absent.empty());
        controller().setTracesKernels(true);
        controller().measure();
        QVERIFY(settle(controller()));
        QCOMPARE(shown().run()->timing.kernels.absent, std::string("the CPU runs none"));
    }

    void pinsStayWithTheTextTheyAreIn() {
        QVERIFY(startDemo(*m_workspace));
        m_workspace->selection.pinToken(100, false);
        m_workspace->selection.pinToken(shown().run()->tokens() - 1, true);
        PromptInput edited = samplePrompt(0);
        const qsizetype question = edited.text.lastIndexOf(QStringLiteral("Question:"));
        edited.text = edited.text.left(question) + QStringLiteral("Question: Who is it?\nAnswer:");
        edited.expected.clear();
        edited.spans.resize(1);
        controller().setPrompt(edited);
        controller().run();
        QVERIFY(settle(controller()));
        int pins = 0, spans = 0;
        for (const viz::Mark& mark : m_workspace->selection.marks())
            ++(mark.span ? spans : pins);
        QCOMPARE(pins, 1);
        QCOMPARE(spans, 1);
        QCOMPARE(m_workspace->selection.pinnedToken(), 100);
        QCOMPARE(shown().derived().measured.size(), std::size_t(1));
    }

    void pinsAndRangeSurviveARerun() {
        QVERIFY(startDemo(*m_workspace));
        viz::Selection& selection = m_workspace->selection;
        selection.pinToken(321, false);
        selection.setRange({200, 500});
        selection.removeMark(selection.firstSpan()->number);
        const auto marks = selection.marks();
        trace::Settings s = settings();
        s.tspLayer = 4;
        m_workspace->settings.set(s);
        QVERIFY(settle(controller()));
        QVERIFY(selection.marks() == marks);
        QVERIFY(selection.range() == (viz::TokenRange{200, 500}));
    }

private:
    Controller& controller() { return m_workspace->controller; }
    viz::Shown& shown() { return m_workspace->shown; }
    const trace::Settings& settings() { return m_workspace->settings.settings(); }

    std::unique_ptr<Workspace> m_workspace;
};

QTEST_MAIN(TestController)
#include "test_controller.moc"
