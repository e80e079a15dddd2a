// SPDX-License-Identifier: GPL-3.0-or-later
// The window where memory is short: what is given up is said, the rest works.
#include "app/pages/prompt_page.h"
#include "app/pages/status_parts.h"
#include "tests/app/window_fixture.h"
#include "viz/plots/elided_label.h"
#include "viz/plots/state_overlay.h"

#include <QSignalSpy>
#include <QTemporaryDir>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using trace::Rung;
using Phase = viz::Shown::Phase;

namespace {

constexpr qint64 kMiB = 1 << 20;

QString overlayOf(viz::Panel& panel) {
    for (QWidget* child : panel.findChildren<QWidget*>())
        if (const auto* overlay = dynamic_cast<viz::StateOverlay*>(child))
            return overlay->message();
    return {};
}

} // namespace

class TestWindowMemory : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void bothSidesRunWhereThereIsNoRoomToLook();
    void fastKvRunsAloneWhereFullContextDoesNotFit();
    void whatCannotFitIsRefusedAndTheNextRunWorks();

private:
    void begin(qint64 limit) {
        m = std::make_unique<WindowFixture>();
        m->controller().setMemoryLimit(limit);
        m->window().resize(1280, 800);
        QVERIFY(m->show());
    }
    QString fit() {
        const auto* label = m->window().findChild<QWidget*>(QStringLiteral("promptFit"));
        return static_cast<const viz::ElidedLabel*>(label)->shown();
    }
    std::unique_ptr<WindowFixture> m;
};

void TestWindowMemory::bothSidesRunWhereThereIsNoRoomToLook() {
    begin(60 * kMiB); // the first sample: 68 looked into, 58 deployed
    QVERIFY(m->start());
    const trace::RunPtr run = m->shown().run();
    QVERIFY(run->rung == Rung::Deployed);
    for (const char* name : {"importance", "stabilization", "heads"})
        QCOMPARE(overlayOf(m->panel(name)), QStringLiteral("Not looked into"));
    for (const char* name : {"timing", "answers", "tokens"})
        QCOMPARE(overlayOf(m->panel(name)), QString());
    QVERIFY(m->window().findChild<StateChip*>()->words().text.contains(
        QStringLiteral("deployed path")));
    QTRY_VERIFY(fit().startsWith(QStringLiteral("deployed path only")));
    QVERIFY2(!fit().contains(u'…'), qPrintable(fit()));
    m->picture("window-deployed");
    m->window().board().revealPrompt();
    m->picture("window-deployed-prompt");

    // A slider: bytes in the frame, then the answer; full context is not run again.
    trace::Settings s = m->settings();
    s.kv = trace::Amount::ofRate(0.3);
    const std::int64_t before = m->shown().asked()->budgets.kvBytes;
    m->workspace().settings.set(s);
    QVERIFY(m->shown().asked()->budgets.kvBytes > before);
    QVERIFY(m->shown().answersPending());
    QVERIFY(settle(m->controller()));
    QVERIFY(!m->shown().answersPending());
    QCOMPARE(m->shown().run()->fullAnswer, run->fullAnswer);

    const QTemporaryDir folder;
    QSignalSpy saved(&m->controller(), &Controller::traceSaved);
    m->controller().saveTrace(folder.filePath(QStringLiteral("t")));
    QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 1, kPatienceMs);
    m->controller().openTrace(folder.filePath(QStringLiteral("t")));
    QVERIFY(settle(m->controller()));
    QVERIFY(m->shown().run()->recorded);
    QCOMPARE(overlayOf(m->panel("heads")), QStringLiteral("Not looked into"));
    m->workspace().settings.set(trace::Settings(s)); // sliders of a recorded run
    QCOMPARE(overlayOf(m->panel("answers")), QString());
    m->picture("window-deployed-recorded");
}

void TestWindowMemory::fastKvRunsAloneWhereFullContextDoesNotFit() {
    begin(45 * kMiB);
    QVERIFY(m->start());
    QVERIFY(m->shown().run()->rung == Rung::FastKvAlone);
    QVERIFY(!m->shown().answersPending());
    QTRY_VERIFY(fit().startsWith(QStringLiteral("FastKV alone")));
    QVERIFY2(!fit().contains(u'…'), qPrintable(fit()));
    m->picture("window-fastkv-alone");
    m->controller().measure();
    QVERIFY(settle(m->controller()));
    QCOMPARE(m->shown().run()->timing.standaloneFastKvMs.size(),
             std::size_t{Controller::kMeasureRepeats});
}

void TestWindowMemory::whatCannotFitIsRefusedAndTheNextRunWorks() {
    begin(30 * kMiB);
    m->window().start({});
    QVERIFY(settle(m->controller()));
    QVERIFY(m->shown().phase() == Phase::Failed);
    QVERIFY2(m->window().failure().message.contains(QStringLiteral("tokens do not fit")),
             qPrintable(m->window().failure().message));
    m->window().board().revealPrompt();
    QTRY_VERIFY(fit().startsWith(QStringLiteral("does not fit")));
    m->picture("window-does-not-fit");
    m->controller().setMemoryLimit(0);
    m->controller().run();
    QVERIFY(settle(m->controller()));
    QVERIFY(m->shown().phase() == Phase::Done);
    QVERIFY(m->shown().run()->rung == Rung::Everything);
    QCOMPARE(overlayOf(m->panel("heads")), QString());
    QTRY_VERIFY2(fit().contains(QStringLiteral(" of ")), qPrintable(fit()));
    m->picture("window-fits");
}

QTEST_MAIN(TestWindowMemory)
#include "test_window_memory.moc"
