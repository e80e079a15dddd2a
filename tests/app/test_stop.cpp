// SPDX-License-Identifier: GPL-3.0-or-later
// An answer that is stopped while it streams: controller and window with the real engine.
#include "tests/app/window_fixture.h"
#include "viz/plots/answers_panel.h"
#include "viz/plots/answers_view.h"

#include <QApplication>
#include <QToolBar>
#include <QToolButton>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using Phase = viz::Shown::Phase;
using trace::AnswerEnd;

namespace {

/// More than anybody waits for, and less than the context of the demo model.
constexpr int kLong = 2000;

enum class Side { Full, FastKv };

const std::shared_ptr<const trace::Answer>& answer(const trace::Run& run, Side side) {
    return side == Side::Full ? run.fullAnswer : run.fastkvAnswer;
}

/// Waits until an answer is on show that grows, `least` tokens and more of it. Gives up when the
/// engine has.
bool streams(const viz::Shown& shown, Side side, std::size_t least) {
    const auto grows = [&] {
        const auto& a = answer(*shown.run(), side);
        return a && a->end == AnswerEnd::Growing && a->tokens.size() >= least;
    };
    (void)QTest::qWaitFor([&] { return grows() || shown.phase() != Phase::Running; }, kPatienceMs);
    return grows();
}

std::vector<std::int32_t> idsOf(const trace::Answer& answer) {
    std::vector<std::int32_t> ids;
    for (const trace::AnswerToken& token : answer.tokens)
        ids.push_back(token.id);
    return ids;
}

/// Longer answers, sampled: a greedy one of the demo model may end by itself.
trace::Settings longAnswers(trace::Settings settings) {
    settings.generate = kLong;
    settings.sampling = {1.5, 0, 1.0, 7};
    return settings;
}

} // namespace

class TestStop : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anAnswerIsKeptAsFarAsItGot_data() {
        QTest::addColumn<int>("side");
        QTest::newRow("full") << static_cast<int>(Side::Full);
        QTest::newRow("FastKV") << static_cast<int>(Side::FastKv);
    }
    void anAnswerIsKeptAsFarAsItGot() {
        QFETCH(int, side);
        const auto stopped = static_cast<Side>(side);
        Workspace workspace;
        Controller& controller = workspace.controller;
        viz::Shown& shown = workspace.shown;
        QVERIFY(startDemo(workspace));
        const auto full = shown.run()->full;
        bool failed = false;
        connect(&controller, &Controller::failed, this, [&] { failed = true; });
        if (stopped == Side::FastKv) {
            // The full answer is there: it is the shorter one that a longer FastKV's is held to.
            trace::Settings settings = longAnswers(workspace.settings.settings());
            settings.generate = 400;
            workspace.settings.set(settings);
            QVERIFY(settle(controller));
            settings.kv = trace::Amount::ofRate(0.5);
            workspace.settings.set(settings);
        } else {
            workspace.settings.set(longAnswers(workspace.settings.settings()));
        }
        QTRY_VERIFY_WITH_TIMEOUT(controller.busy(), kPatienceMs);
        QVERIFY(streams(shown, stopped, 2));
        QVERIFY(answer(*shown.run(), stopped)->msPerToken >
                0.0); // the rate is known while it grows
        const std::vector<std::int32_t> before = idsOf(*answer(*shown.run(), stopped));
        controller.stop();
        QVERIFY(shown.phase() == Phase::Cancelled);
        QVERIFY(!controller.busy());
        const trace::RunPtr kept = shown.run();
        QVERIFY(answer(*kept, stopped)->end == AnswerEnd::Stopped);
        QCOMPARE(idsOf(*answer(*kept, stopped)), before);
        QCOMPARE(kept->full, full);
        QVERIFY(kept->fastkv && kept->fidelity);
        QVERIFY(kept->fastkv->settings == workspace.settings.settings());
        if (stopped == Side::FastKv) QVERIFY(kept->fullAnswer->complete());
        QTest::qWait(2 * Controller::kSettleMs); // nothing of it comes later, and nothing starts
        QCOMPARE(shown.run(), kept);
        QVERIFY(!controller.busy() && !failed);

        // Run decodes again, from the start and to the end.
        trace::Settings settings = workspace.settings.settings();
        settings.generate = static_cast<int>(before.size()) + 1;
        workspace.settings.set(settings);
        controller.run();
        QVERIFY(settle(controller));
        QVERIFY(shown.phase() == Phase::Done);
        QCOMPARE(shown.run()->full, full); // and only decodes
        const std::vector<std::int32_t> again = idsOf(*answer(*shown.run(), stopped));
        QVERIFY(shown.run()->fullAnswer->complete() && shown.run()->fastkvAnswer->complete());
        QVERIFY(again.size() >= before.size());
        QVERIFY(std::equal(before.begin(), before.end(), again.begin()));
    }

    void aLengthThatTheContextCannotHoldIsRefusedAtOnce() {
        Workspace workspace;
        QVERIFY(startDemo(workspace));
        const trace::RunPtr before = workspace.shown.run();
        trace::Settings settings = workspace.settings.settings();
        settings.generate = trace::kMostGenerate;
        workspace.settings.set(settings);
        QVERIFY(settle(workspace.controller));
        QVERIFY(workspace.shown.phase() == Phase::Failed);
        QVERIFY(
            workspace.shown.phaseText().contains(QStringLiteral("1048576 are to be generated")));
        QCOMPARE(workspace.shown.run(), before);
        settings.generate = 3;
        workspace.settings.set(settings);
        QVERIFY(settle(workspace.controller));
        QCOMPARE(workspace.shown.run()->fullAnswer->tokens.size(), std::size_t(3));
    }

    void theStopButtonKeepsWhatTheWindowShows() {
        WindowFixture m;
        QVERIFY(m.show());
        QVERIFY(m.start());
        auto& answers = static_cast<viz::AnswersPanel&>(m.panel("answers"));
        SettingsPage& page = m.settingsPage();
        const auto type = [](NumberField& field, const QString& text) {
            field.setFocus();
            field.selectAll();
            QTest::keyClicks(&field, text);
            QTest::keyClick(&field, Qt::Key_Return);
        };
        page.decoding().setOpen(true);
        type(page.decoding().field(SettingsField::Temperature), QStringLiteral("1.5"));
        type(page.decoding().field(SettingsField::Generate), QString::number(kLong));
        QTRY_VERIFY_WITH_TIMEOUT(m.controller().busy(), kPatienceMs);
        QVERIFY(streams(m.shown(), Side::Full, 2));
        QVERIFY2(answers.readout().contains(QStringLiteral(" tokens so far, ")) &&
                     answers.readout().endsWith(QStringLiteral(" ms/token")),
                 qPrintable(answers.readout()));
        m.picture("streaming");
        auto* stop = qobject_cast<QToolButton*>(
            m.window().toolbar().widgetForAction(m.window().toolbar().stop));
        QVERIFY(stop && stop->isEnabled() && stop->isVisible());
        QTest::mouseClick(stop, Qt::LeftButton);
        QVERIFY(m.shown().phase() == Phase::Cancelled);
        QVERIFY(m.shown().run()->fullAnswer->end == AnswerEnd::Stopped);
        QVERIFY(m.window().failure().message.isEmpty());
        QVERIFY(!stop->isEnabled());
        QCOMPARE(answers.answers().content().fullEnd, QStringLiteral("■ stopped"));
        QVERIFY(!answers.answers().content().fullPending);
        QVERIFY(answers.readout().contains(QStringLiteral("full: stopped after ")));
        m.picture("answer-stopped");

        type(page.decoding().field(SettingsField::Generate), QStringLiteral("5"));
        m.window().toolbar().run->trigger();
        QVERIFY(settle(m.controller()));
        QVERIFY(m.shown().phase() == Phase::Done);
        QCOMPARE(answers.answers().content().fullEnd, QStringLiteral("length 5"));
        QVERIFY(!answers.answers().content().pending);
        QVERIFY(answers.caption().contains(QStringLiteral("sampled: temperature 1.5, seed 0")));
        m.picture("sampled");
    }
};

QTEST_MAIN(TestStop)
#include "test_stop.moc"
