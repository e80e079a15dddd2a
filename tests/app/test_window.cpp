// SPDX-License-Identifier: GPL-3.0-or-later
// The real window with the real engine on the demo model: what people do with mouse and keys.
#include "tests/app/window_fixture.h"
#include "tests/support/drop_file.h"
#include "viz/plots/readouts_view.h"

#include <QApplication>
#include <QClipboard>
#include <QDialog>
#include <QLineEdit>
#include <QMenu>
#include <QSettings>
#include <QSplitter>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QToolButton>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using Phase = viz::Shown::Phase;

class TestWindow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m = std::make_unique<WindowFixture>();
        QVERIFY(m->show());
    }
    void cleanup() { m.reset(); }

    void startsWithTheDemoAndTheFirstSample() {
        QVERIFY(m->shown().phase() == Phase::Empty);
        connect(&m->shown(), &viz::Shown::phaseChanged, this, [this] {
            if (m->shown().phase() == Phase::Running && !m->shown().run()) m->picture("loading");
        });
        m->picture("empty");
        QVERIFY(m->start());
        QVERIFY(m->shown().phase() == Phase::Done);
        QVERIFY(answerHolds(*m->shown().run()));
        QVERIFY(m->window().failure().message.isEmpty());
        QVERIFY(m->window().board().panel(QStringLiteral("tokens"))->isVisible());
        m->picture("done");
    }

    void aDraggedSliderPreviewsThenTurnsExact() {
        QVERIFY(m->start());
        LayerSlider& slider = layerSlider();
        QTest::mousePress(&slider, Qt::LeftButton, {}, stopAt(slider, 7));
        dragTo(slider, stopAt(slider, 6));
        QCOMPARE(m->settings().tspLayer, 6);
        QVERIFY(m->workspace().settings.dragging());
        QVERIFY(m->shown().fate()->settings == m->settings());
        QVERIFY(m->shown().fate()->state() == trace::State::Preview);
        m->picture("preview");
        dragTo(slider, stopAt(slider, 8));
        QCOMPARE(m->settings().tspLayer, 8);
        QTest::mouseRelease(&slider, Qt::LeftButton, {}, stopAt(slider, 8));
        QVERIFY(settle(m->controller()));
        QVERIFY(m->shown().fate()->state() == trace::State::Exact);
        QVERIFY(!answerHolds(*m->shown().run()));

        m->picture("broken");
        QTest::keyClick(&m->window(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(m->settings().tspLayer, 7);
        QVERIFY(settle(m->controller()));
        QVERIFY(answerHolds(*m->shown().run()));
        QTest::keyClick(&m->window(), Qt::Key_Y, Qt::ControlModifier);
        QCOMPARE(m->settings().tspLayer, 8);
        QVERIFY(settle(m->controller()));
    }

    void escGivesUpADrag() {
        QVERIFY(m->start());
        m->selection().pinToken(50, false);
        LayerSlider& slider = layerSlider();
        QTest::mousePress(&slider, Qt::LeftButton, {}, stopAt(slider, 7));
        dragTo(slider, stopAt(slider, 3));
        QCOMPARE(m->settings().tspLayer, 3);
        QTest::keyClick(&slider, Qt::Key_Escape);
        QCOMPARE(m->settings().tspLayer, 7);
        dragTo(slider, stopAt(slider, 2)); // the button is still down
        QCOMPARE(m->settings().tspLayer, 7);
        QTest::mouseRelease(&slider, Qt::LeftButton, {}, stopAt(slider, 2));
        QCOMPARE(m->settings().tspLayer, 7);
        QVERIFY(!m->workspace().settings.canUndo());
        QCOMPARE(m->selection().pinnedToken(), 50); // one thing at a time
        QVERIFY(m->shown().fate()->state() == trace::State::Exact);
    }

    void maximisesAndReturns() {
        QVERIFY(m->start());
        m->selection().pinToken(50, false);
        viz::Panel* heads = m->window().board().panel(QStringLiteral("heads"));
        viz::Panel* importance = m->window().board().panel(QStringLiteral("importance"));
        heads->setFocus();
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_F11);
        QCOMPARE(m->window().board().maximised(), heads);
        QVERIFY(heads->isVisible() && !importance->isVisible());
        QVERIFY(heads->width() > m->window().width() * 9 / 10);
        m->picture("maximised");
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
        QVERIFY(!m->window().board().maximised());
        QVERIFY(heads->isVisible() && importance->isVisible());
        QCOMPARE(m->selection().pinnedToken(), 50);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
        QCOMPARE(m->selection().pinnedToken(), -1);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_F11);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_F11); // the same key back
        QVERIFY(!m->window().board().maximised());
    }

    void stopCancelsAndKeepsTheEarlierRun() {
        QVERIFY(m->start());
        const trace::RunPtr before = m->shown().run();
        m->controller().setPrompt(samplePrompt(4));
        m->controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(m->shown().progress() > 0.0, kPatienceMs);
        QVERIFY(m->window().toolbar().stop->isEnabled());
        m->picture("running");
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape); // never the run
        QVERIFY(m->controller().busy());
        QTest::keyClick(&m->window(), Qt::Key_Period, Qt::ControlModifier);
        QVERIFY(m->shown().phase() == Phase::Cancelled);
        QCOMPARE(m->shown().run(), before);
        QVERIFY(!m->window().toolbar().stop->isEnabled());
        m->picture("cancelled");
    }

    void closesInTheMiddleOfARun() {
        QVERIFY(m->start());
        m->controller().setPrompt(samplePrompt(4));
        m->controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(m->shown().progress() > 0.0, kPatienceMs);
        QVERIFY(m->window().close());
        m.reset();
    }

    void aSaveThatWasAskedForIsFinishedBeforeTheWindowCloses() {
        QVERIFY(m->start());
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("run.safetensors"));
        m->controller().saveTrace(path);
        QVERIFY(!m->window().close());
        QTRY_VERIFY(!m->window().isVisible());
        QVERIFY(QFile::exists(path));
    }

    void aDamagedTraceGoesToTheErrorBar() {
        QVERIFY(m->start());
        const trace::RunPtr before = m->shown().run();
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("broken.safetensors"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("not a trace at all");
        file.close();
        m->window().openPath(path);
        QVERIFY(settle(m->controller()));
        auto* bar = m->window().findChild<QWidget*>(QStringLiteral("errorBar"));
        QVERIFY(bar->isVisible());
        QVERIFY(m->window().failure().message.contains(path));
        m->picture("failed");
        QCOMPARE(m->shown().run(), before);
        QTest::mouseClick(bar->findChild<QToolButton*>(QStringLiteral("dismissError")),
                          Qt::LeftButton);
        QVERIFY(!bar->isVisible());
    }

    void aSavedTraceOpensAgain() {
        QVERIFY(m->start());
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("run.safetensors"));
        m->controller().saveTrace(path);
        QVERIFY(settle(m->controller()));
        m->window().openPath(path);
        QVERIFY(settle(m->controller()));
        QVERIFY(m->shown().run()->recorded);
        QVERIFY(m->window().toolbar().locateModel->isEnabled());
        m->picture("recorded");
        m->window().toolbar().locateModel->trigger(); // the demo model is open: nothing is asked
        QVERIFY(settle(m->controller()));
        QVERIFY(!m->shown().run()->recorded && answerHolds(*m->shown().run()));
    }

    void refusesWhatIsNeitherModelNorTraceNorText() {
        m->window().openPath(QStringLiteral("/no/such/thing"));
        QVERIFY(!m->window().failure().message.isEmpty());
        QVERIFY(!m->controller().busy());
    }

    void aBrokenModelFolderLeavesTheWindowAlive() {
        QTemporaryDir folder;
        QFile config(folder.filePath(QStringLiteral("config.json")));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write("{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": -4}");
        config.close();
        m->window().start({.path = folder.path()});
        QVERIFY(settle(m->controller()));
        QVERIFY(m->window().findChild<QWidget*>(QStringLiteral("errorBar"))->isVisible());
        QVERIFY(!m->window().failure().message.contains(QLatin1Char('\n')));
        QVERIFY(!m->shown().run());
        m->picture("bad-model");
        // Another one opens as if nothing had been.
        m->window().openPath(demoModel());
        QVERIFY(settle(m->controller()));
        QVERIFY(m->controller().model());
        QVERIFY(m->window().toolbar().run->isEnabled());
    }

    void takesADroppedText() {
        QVERIFY(m->start());
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("note.txt"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("A short note.\nQuestion: What is it?\nAnswer:");
        file.close();
        QVERIFY(testing::dropFile(m->window(), path));
        QVERIFY(settle(m->controller()));
        QCOMPARE(QString::fromStdString(m->shown().run()->prompt->text),
                 QStringLiteral("A short note.\nQuestion: What is it?\nAnswer:"));
    }

    void copiesTheSettings() {
        QVERIFY(m->start());
        m->window().toolbar().copyJson->trigger();
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("\"tsp_layer\": 7")));
        m->window().toolbar().copyCommand->trigger();
        const QString command = QApplication::clipboard()->text();
        QVERIFY(command.startsWith(QStringLiteral("fastkv profile --model ")));
        QVERIFY(command.contains(QStringLiteral("password.txt")));
    }

    void standsInPresenterTypeAndOnAWideScreen() {
        QVERIFY(m->start());
        const QSize least = m->window().minimumSizeHint();
        QVERIFY2(least.width() < 1200 && least.height() < 700,
                 qPrintable(QStringLiteral("%1x%2").arg(least.width()).arg(least.height())));
        m->window().toolbar().presenter->trigger();
        auto* tabs = m->window().findChild<QTabWidget*>(QStringLiteral("panelTabs"));
        QVERIFY(tabs && tabs->count() == 5);
        m->picture("presenter");
        QCOMPARE(m->shown().run()->tokens(), 1447);
        m->window().toolbar().presenter->trigger();
        QVERIFY(!m->window().findChild<QTabWidget*>(QStringLiteral("panelTabs")));
        m->window().resize(1700, 900);
        QTRY_VERIFY(!m->window().findChild<QTabWidget*>(QStringLiteral("textTabs")));
        m->picture("wide");
        for (viz::Panel* panel : m->window().board().panels())
            QVERIFY(panel->isVisible());
    }

    void remembersItsLook() {
        QTemporaryDir folder;
        const auto store = [&] {
            return std::make_unique<QSettings>(folder.filePath(QStringLiteral("look.ini")),
                                               QSettings::IniFormat);
        };
        QList<int> sizes;
        {
            Workspace workspace;
            MainWindow window(workspace, store());
            window.resize(1300, 760);
            window.show();
            QVERIFY(QTest::qWaitForWindowExposed(&window));
            auto* rows = window.findChild<QSplitter*>(QStringLiteral("rows"));
            QSplitterHandle* handle = rows->handle(1);
            const QPoint middle = handle->rect().center();
            QTest::mousePress(handle, Qt::LeftButton, {}, middle);
            dragTo(*handle, middle + QPoint(0, 40));
            QTest::mouseRelease(handle, Qt::LeftButton, {}, middle);
            sizes = rows->sizes();
            window.toolbar().presenter->trigger();
            workspace.theme.setChoice(viz::Theme::Choice::Dark);
            window.findChild<DecodingEditor*>()->setOpen(true);
            window.openPath(demoModel());
            QVERIFY(settle(workspace.controller));
            window.close();
            workspace.theme.setPresenter(false); // the next theme takes this font for the system's
        }
        Workspace workspace;
        MainWindow window(workspace, store());
        QVERIFY(workspace.theme.presenter());
        QVERIFY(workspace.theme.choice() == viz::Theme::Choice::Dark);
        QCOMPARE(window.size(), QSize(1300, 760));
        QVERIFY(window.findChild<DecodingEditor*>()->open());
        Q_EMIT window.toolbar().models->aboutToShow();
        QStringList entries;
        for (const QAction* entry : window.toolbar().models->actions())
            entries << entry->text();
        QVERIFY(entries.contains(demoModel()));
        workspace.theme.setPresenter(false);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        QTRY_COMPARE(window.findChild<QSplitter*>(QStringLiteral("rows"))->sizes(), sizes);
        workspace.theme.setChoice(viz::Theme::Choice::System);
    }

    void remembersTargets() {
        QTemporaryDir folder;
        const auto store = [&] {
            return std::make_unique<QSettings>(folder.filePath(QStringLiteral("targets.ini")),
                                               QSettings::IniFormat);
        };
        const auto readouts = [](MainWindow& window) -> viz::ReadoutsView& {
            return *window.findChild<viz::ReadoutsView*>();
        };
        {
            Workspace workspace;
            MainWindow window(workspace, store());
            window.show();
            QVERIFY(QTest::qWaitForWindowExposed(&window));
            viz::ReadoutsView& view = readouts(window);
            view.editTarget(viz::Metric::FirstToken);
            QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("<= 512.25 ms"));
            press(Qt::Key_Return);
            QVERIFY(view.target(viz::Metric::FirstToken));
        } // not closed: as after a fault
        {
            Workspace workspace;
            MainWindow window(workspace, store());
            viz::ReadoutsView& view = readouts(window);
            QCOMPARE(view.target(viz::Metric::FirstToken), (viz::Target{true, 512.25}));
            QVERIFY(!view.target(viz::Metric::PerToken));
            window.show();
            QVERIFY(QTest::qWaitForWindowExposed(&window));
            view.editTarget(viz::Metric::FirstToken);
            press(Qt::Key_Backspace); // all of it is selected
            press(Qt::Key_Return);
        }
        Workspace workspace;
        MainWindow window(workspace, store());
        QVERIFY(!readouts(window).target(viz::Metric::FirstToken));
    }

    void showsItsKeys() {
        QTest::keyClick(&m->window(), Qt::Key_F1);
        auto* sheet = m->window().findChild<QDialog*>(QStringLiteral("keySheet"));
        QVERIFY(sheet && sheet->isVisible());
        savePicture(*sheet, QStringLiteral("keys"));
        sheet->reject();
        QTest::keyClick(&m->window(), Qt::Key_Question, Qt::ShiftModifier);
        QTRY_COMPARE(m->window().findChildren<QDialog*>(QStringLiteral("keySheet")).size(), 1);
    }

private:
    LayerSlider& layerSlider() { return m->settingsPage().layerSlider(); }

    std::unique_ptr<WindowFixture> m;
};

QTEST_MAIN(TestWindow)
#include "test_window.moc"
