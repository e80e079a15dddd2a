// SPDX-License-Identifier: GPL-3.0-or-later
// The real window with the real engine on the demo model: what people do with mouse and keys.
#include "app/pages/layer_slider.h"
#include "app/pages/settings_page.h"
#include "app/window/main_window.h"
#include "tests/app/engine_fixture.h"
#include "tests/support/view_fixture.h"

#include <QApplication>
#include <QClipboard>
#include <QDialog>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QSettings>
#include <QSplitter>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QToolButton>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using Phase = viz::Shown::Phase;

namespace {

/// Where a stop of the layer slider lies.
QPoint stopAt(const LayerSlider& slider, int layer) {
    const auto reading = slider.reading();
    const double share = (layer - reading.least) / (reading.most - reading.least);
    // The track leaves about the same room at both ends: far less than half a stop off.
    constexpr double inset = 10.0;
    return {static_cast<int>(inset + share * (slider.width() - 2 * inset)), slider.height() / 2};
}

} // namespace

class TestWindow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_workspace = std::make_unique<Workspace>();
        m_window = std::make_unique<MainWindow>(*m_workspace);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    }
    void cleanup() {
        m_window.reset();
        m_workspace.reset();
    }

    void startsWithTheDemoAndTheFirstSample() {
        QVERIFY(shown().phase() == Phase::Empty);
        picture(QStringLiteral("empty"));
        start();
        QVERIFY(shown().phase() == Phase::Done);
        QVERIFY(answerHolds(*shown().run()));
        QVERIFY(m_window->failure().message.isEmpty());
        QVERIFY(m_window->board().panel(QStringLiteral("tokens"))->isVisible());
        picture(QStringLiteral("done"));
    }

    void aDraggedSliderPreviewsThenTurnsExact() {
        start();
        LayerSlider& slider = layerSlider();
        QTest::mousePress(&slider, Qt::LeftButton, {}, stopAt(slider, 7));
        moveTo(slider, stopAt(slider, 6));
        QCOMPARE(settings().tspLayer, 6);
        QVERIFY(m_workspace->settings.dragging());
        QVERIFY(shown().fate()->settings == settings());
        QVERIFY(shown().fate()->state() == trace::State::Preview);
        picture(QStringLiteral("preview"));
        moveTo(slider, stopAt(slider, 8));
        QCOMPARE(settings().tspLayer, 8);
        QTest::mouseRelease(&slider, Qt::LeftButton, {}, stopAt(slider, 8));
        QVERIFY(settle(controller()));
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QVERIFY(!answerHolds(*shown().run()));

        picture(QStringLiteral("broken"));
        QTest::keyClick(m_window.get(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(settings().tspLayer, 7);
        QVERIFY(settle(controller()));
        QVERIFY(answerHolds(*shown().run()));
        QTest::keyClick(m_window.get(), Qt::Key_Y, Qt::ControlModifier);
        QCOMPARE(settings().tspLayer, 8);
        QVERIFY(settle(controller()));
    }

    void escGivesUpADrag() {
        start();
        m_workspace->selection.pinToken(50, false);
        LayerSlider& slider = layerSlider();
        QTest::mousePress(&slider, Qt::LeftButton, {}, stopAt(slider, 7));
        moveTo(slider, stopAt(slider, 3));
        QCOMPARE(settings().tspLayer, 3);
        QTest::keyClick(&slider, Qt::Key_Escape);
        QCOMPARE(settings().tspLayer, 7);
        moveTo(slider, stopAt(slider, 2)); // the button is still down
        QCOMPARE(settings().tspLayer, 7);
        QTest::mouseRelease(&slider, Qt::LeftButton, {}, stopAt(slider, 2));
        QCOMPARE(settings().tspLayer, 7);
        QVERIFY(!m_workspace->settings.canUndo());
        QCOMPARE(m_workspace->selection.pinnedToken(), 50); // one thing at a time
        QVERIFY(shown().fate()->state() == trace::State::Exact);
    }

    void maximisesAndReturns() {
        start();
        m_workspace->selection.pinToken(50, false);
        viz::Panel* heads = m_window->board().panel(QStringLiteral("heads"));
        viz::Panel* importance = m_window->board().panel(QStringLiteral("importance"));
        heads->setFocus();
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_F11);
        QCOMPARE(m_window->board().maximised(), heads);
        QVERIFY(heads->isVisible() && !importance->isVisible());
        QVERIFY(heads->width() > m_window->width() * 9 / 10);
        picture(QStringLiteral("maximised"));
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
        QVERIFY(!m_window->board().maximised());
        QVERIFY(heads->isVisible() && importance->isVisible());
        QCOMPARE(m_workspace->selection.pinnedToken(), 50);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
        QCOMPARE(m_workspace->selection.pinnedToken(), -1);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_F11);
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_F11); // the same key back
        QVERIFY(!m_window->board().maximised());
    }

    void stopCancelsAndKeepsTheEarlierRun() {
        start();
        const trace::RunPtr before = shown().run();
        controller().setPrompt(samplePrompt(4));
        controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(shown().progress() > 0.0, kPatienceMs);
        QVERIFY(m_window->toolbar().stop->isEnabled());
        picture(QStringLiteral("running"));
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape); // never the run
        QVERIFY(controller().busy());
        QTest::keyClick(m_window.get(), Qt::Key_Period, Qt::ControlModifier);
        QVERIFY(shown().phase() == Phase::Cancelled);
        QCOMPARE(shown().run(), before);
        QVERIFY(!m_window->toolbar().stop->isEnabled());
        picture(QStringLiteral("cancelled"));
    }

    void closesInTheMiddleOfARun() {
        start();
        controller().setPrompt(samplePrompt(4));
        controller().run();
        QTRY_VERIFY_WITH_TIMEOUT(shown().progress() > 0.0, kPatienceMs);
        QVERIFY(m_window->close());
        m_window.reset();
        m_workspace.reset();
    }

    void aDamagedTraceGoesToTheErrorBar() {
        start();
        const trace::RunPtr before = shown().run();
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("broken.safetensors"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("not a trace at all");
        file.close();
        m_window->openPath(path);
        QVERIFY(settle(controller()));
        auto* bar = m_window->findChild<QWidget*>(QStringLiteral("errorBar"));
        QVERIFY(bar->isVisible());
        QVERIFY(m_window->failure().message.contains(path));
        picture(QStringLiteral("failed"));
        QCOMPARE(shown().run(), before);
        QTest::mouseClick(bar->findChild<QToolButton*>(QStringLiteral("dismissError")),
                          Qt::LeftButton);
        QVERIFY(!bar->isVisible());
    }

    void aSavedTraceOpensAgain() {
        start();
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("run.safetensors"));
        controller().saveTrace(path);
        QVERIFY(settle(controller()));
        m_window->openPath(path);
        QVERIFY(settle(controller()));
        QVERIFY(shown().run()->recorded);
        QVERIFY(m_window->toolbar().locateModel->isEnabled());
        picture(QStringLiteral("recorded"));
        m_window->toolbar().locateModel->trigger(); // the demo model is open: nothing is asked
        QVERIFY(settle(controller()));
        QVERIFY(!shown().run()->recorded && answerHolds(*shown().run()));
    }

    void refusesWhatIsNeitherModelNorTraceNorText() {
        m_window->openPath(QStringLiteral("/no/such/thing"));
        QVERIFY(!m_window->failure().message.isEmpty());
        QVERIFY(!controller().busy());
    }

    void takesADroppedText() {
        start();
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("note.txt"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("A short note.\nQuestion: What is it?\nAnswer:");
        file.close();
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(path)});
        QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(m_window.get(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(m_window.get(), &drop);
        QVERIFY(settle(controller()));
        QCOMPARE(QString::fromStdString(shown().run()->prompt->text),
                 QStringLiteral("A short note.\nQuestion: What is it?\nAnswer:"));
    }

    void copiesTheSettings() {
        start();
        m_window->toolbar().copyJson->trigger();
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("\"tsp_layer\": 7")));
        m_window->toolbar().copyCommand->trigger();
        const QString command = QApplication::clipboard()->text();
        QVERIFY(command.startsWith(QStringLiteral("fastkv profile --model ")));
        QVERIFY(command.contains(QStringLiteral("password.txt")));
    }

    void standsInPresenterTypeAndOnAWideScreen() {
        start();
        const QSize least = m_window->minimumSizeHint();
        QVERIFY2(least.width() < 1200 && least.height() < 700,
                 qPrintable(QStringLiteral("%1x%2").arg(least.width()).arg(least.height())));
        m_window->toolbar().presenter->trigger();
        auto* tabs = m_window->findChild<QTabWidget*>(QStringLiteral("panelTabs"));
        QVERIFY(tabs && tabs->count() == 5);
        picture(QStringLiteral("presenter"));
        QCOMPARE(shown().run()->tokens(), 1447);
        m_window->toolbar().presenter->trigger();
        QVERIFY(!m_window->findChild<QTabWidget*>(QStringLiteral("panelTabs")));
        m_window->resize(1700, 900);
        QTRY_VERIFY(!m_window->findChild<QTabWidget*>(QStringLiteral("textTabs")));
        picture(QStringLiteral("wide"));
        for (viz::Panel* panel : m_window->board().panels())
            QVERIFY(panel->isVisible());
    }

    void remembersItsLook() {
        QTemporaryDir folder;
        const auto store = [&] {
            return std::make_unique<QSettings>(folder.filePath(QStringLiteral("look.ini")),
                                               QSettings::IniFormat);
        };
        QByteArray sizes;
        {
            Workspace workspace;
            MainWindow window(workspace, store());
            window.resize(1300, 760);
            window.show();
            QVERIFY(QTest::qWaitForWindowExposed(&window));
            auto* rows = window.findChild<QSplitter*>(QStringLiteral("rows"));
            rows->setSizes({300, 150, 120, 100});
            sizes = window.board().saveSizes();
            window.toolbar().presenter->trigger();
            workspace.theme.setChoice(viz::Theme::Choice::Dark);
            window.openPath(demoModel());
            QVERIFY(settle(workspace.controller));
            window.close();
        }
        Workspace workspace;
        MainWindow window(workspace, store());
        QVERIFY(workspace.theme.presenter());
        QVERIFY(workspace.theme.choice() == viz::Theme::Choice::Dark);
        QCOMPARE(window.size(), QSize(1300, 760));
        Q_EMIT window.toolbar().models->aboutToShow();
        QStringList entries;
        for (const QAction* entry : window.toolbar().models->actions())
            entries << entry->text();
        QVERIFY(entries.contains(demoModel()));
        workspace.theme.setPresenter(false);
        workspace.theme.setChoice(viz::Theme::Choice::System);
    }

    void showsItsKeys() {
        QTest::keyClick(m_window.get(), Qt::Key_F1);
        auto* sheet = m_window->findChild<QDialog*>(QStringLiteral("keySheet"));
        QVERIFY(sheet && sheet->isVisible());
        savePicture(*sheet, QStringLiteral("keys"));
        sheet->reject();
        QTest::keyClick(m_window.get(), Qt::Key_Question, Qt::ShiftModifier);
        QTRY_COMPARE(m_window->findChildren<QDialog*>(QStringLiteral("keySheet")).size(), 1);
    }

private:
    void start() {
        m_window->start({});
        QVERIFY(shown().phase() == Phase::Loading);
        QVERIFY(settle(controller()));
        QVERIFY(shown().run());
    }
    void picture(const QString& name) {
        QApplication::processEvents(); // fonts and layouts follow the theme by events
        savePicture(*m_window, name);
    }
    static void moveTo(QWidget& widget, const QPoint& at) {
        // QTest::mouseMove() carries no buttons.
        QMouseEvent move(QEvent::MouseMove, at, widget.mapToGlobal(at), Qt::NoButton,
                         Qt::LeftButton, {});
        QApplication::sendEvent(&widget, &move);
    }
    LayerSlider& layerSlider() { return m_window->findChild<SettingsPage*>()->layerSlider(); }
    Controller& controller() { return m_workspace->controller; }
    viz::Shown& shown() { return m_workspace->shown; }
    const trace::Settings& settings() { return m_workspace->settings.settings(); }

    std::unique_ptr<Workspace> m_workspace;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestWindow)
#include "test_window.moc"
