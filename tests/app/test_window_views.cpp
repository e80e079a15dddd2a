// SPDX-License-Identifier: GPL-3.0-or-later
// Prompt, text and plots inside the real window: typing, pointing, pinning, finding, dragging.
#include "app/pages/prompt_page.h"
#include "tests/app/window_fixture.h"
#include "viz/plots/answers_panel.h"
#include "viz/plots/answers_view.h"
#include "viz/plots/chart_view.h"
#include "viz/plots/figure_export.h"
#include "viz/plots/importance_panel.h"
#include "viz/plots/importance_view.h"
#include "viz/plots/stabilization_panel.h"
#include "viz/text/find_bar.h"
#include "viz/text/tokens_panel.h"
#include "viz/text/tokens_view.h"

#include <QClipboard>
#include <QFileDialog>
#include <QLineEdit>
#include <QMenu>
#include <QScrollBar>
#include <QSettings>
#include <QSpinBox>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTimer>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using Phase = viz::Shown::Phase;

class TestWindowViews : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m = std::make_unique<WindowFixture>();
        QVERIFY(m->show());
        QVERIFY(m->start());
    }
    void cleanup() { m.reset(); }

    void aTypedPromptRuns() {
        m->window().board().revealPrompt();
        PromptEditor& editor = page().editor();
        editor.setFocus();
        editor.selectAll();
        QTest::keyClicks(&editor, QStringLiteral("The key lies here. P t 0 ? Where is the key?"));
        QCOMPARE(page().prompt().text,
                 QStringLiteral("The key lies here. P t 0 ? Where is the key?"));
        QVERIFY(!m->window().findChild<QWidget*>(QStringLiteral("keySheet"))); // ? was the field's
        QVERIFY(m->shown().run()->tokens() > 1000); // nothing runs by itself
        QTest::keyClick(&editor, Qt::Key_Return, Qt::ControlModifier);
        QVERIFY(settle(m->controller()));
        QCOMPARE(QString::fromStdString(m->shown().run()->prompt->text), page().prompt().text);
        QVERIFY(m->shown().phase() == Phase::Done);
        QVERIFY(m->panel("tokens").isVisible());
    }

    void keysInATextFieldAreItsOwn() {
        trace::Settings s = m->settings();
        s.tspLayer = 5;
        m->workspace().settings.set(s);
        m->panel("importance").setFocus();
        const QWidget* view = QApplication::focusWidget();
        m->window().board().revealPrompt();
        PromptEditor& editor = page().editor();
        editor.setFocus();
        const QString before = editor.text();
        QTest::keyClicks(&editor, QStringLiteral("xyz"));
        press(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(editor.text(), before);
        QCOMPARE(m->settings().tspLayer, 5); // the settings' own undo was not asked
        press(Qt::Key_Escape);
        QCOMPARE(QApplication::focusWidget(), view);
        press(Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(m->settings().tspLayer, 7);
    }

    void pointingFillsReadoutsAndMovesNothing() {
        viz::ImportanceView& map = importance();
        auto& text = static_cast<viz::TokensPanel&>(m->panel("tokens"));
        const int scroll = text.view().verticalScrollBar()->value();
        const viz::TokenRange range = m->selection().range();
        QTest::mouseMove(&map, rowPoint(map, 10, 0.62));
        QTRY_VERIFY(m->selection().hover().token >= 0);
        QCOMPARE(m->selection().hover().layer, 10);
        QTRY_VERIFY(m->panel("importance").readout().contains(QStringLiteral("layer 10")));
        QVERIFY(m->selection().range() == range);
        QVERIFY(m->selection().marks().size() == 2); // fact and question alone
        QCOMPARE(text.view().verticalScrollBar()->value(), scroll);
        QTest::mouseMove(&m->window(), QPoint(2, 2));
        QTRY_COMPARE(m->selection().hover().token, -1);
    }

    void aClickPinsAndTheTextGoesThere() {
        viz::ImportanceView& map = importance();
        QTest::mouseClick(&map, Qt::LeftButton, {}, rowPoint(map, 12, 0.9));
        const std::int64_t pinned = m->selection().pinnedToken();
        QVERIFY(pinned > m->shown().run()->scored() / 2);
        auto& text = static_cast<viz::TokensPanel&>(m->panel("tokens"));
        QTRY_VERIFY(text.view().verticalScrollBar()->value() > 0);
        QCOMPARE(m->selection().pinnedLayer(), 12);
        press(Qt::Key_P);
        QCOMPARE(m->selection().marks().size(), std::size_t(4)); // two spans, the pin, the new span
        press(Qt::Key_Escape);
        QCOMPARE(m->selection().pinnedToken(), -1);
        QCOMPARE(m->selection().marks().size(), std::size_t(3));
    }

    void theLineMovesTheLayer() {
        viz::ImportanceView& map = importance();
        const auto lineAt = [&map] {
            return QPoint(map.width() / 2, map.layoutNow().line.center().y());
        };
        QTest::mousePress(&map, Qt::LeftButton, {}, lineAt());
        dragTo(map, lineAt() - QPoint(0, map.layoutNow().rowHeight));
        QVERIFY(m->workspace().settings.dragging());
        QVERIFY(m->settings().tspLayer < 7);
        QVERIFY(m->shown().fate()->settings == m->settings());
        QTest::keyClick(&map, Qt::Key_Escape);
        QCOMPARE(m->settings().tspLayer, 7);
        dragTo(map, QPoint(map.width() / 2, 60)); // the button is still down
        QCOMPARE(m->settings().tspLayer, 7);
        QTest::mouseRelease(&map, Qt::LeftButton, {}, QPoint(map.width() / 2, 60));
        QCOMPARE(m->settings().tspLayer, 7);

        QTest::mousePress(&map, Qt::LeftButton, {}, lineAt());
        dragTo(map, lineAt() - QPoint(0, map.layoutNow().rowHeight));
        const int layer = m->settings().tspLayer;
        QTest::mouseRelease(&map, Qt::LeftButton, {}, lineAt());
        QVERIFY(settle(m->controller()));
        QCOMPARE(m->shown().run()->fastkv->settings.tspLayer, layer);
        QVERIFY(m->shown().fate()->state() == trace::State::Exact);
    }

    void findsInTheText() {
        press(Qt::Key_F, Qt::ControlModifier);
        auto& tokens = static_cast<viz::TokensPanel&>(m->panel("tokens"));
        QVERIFY(tokens.findBar().isVisible());
        QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("password"));
        QTRY_VERIFY(m->selection().hits().size() >= 3);
        m->picture("find");
        press(Qt::Key_Escape);
        QVERIFY(!tokens.findBar().isVisible());
    }

    void aSampleFromTheMenuRuns() {
        QMenu* menu = m->window().toolbar().samples;
        Q_EMIT menu->aboutToShow();
        QAction* entry = nullptr;
        for (QAction* action : menu->actions())
            if (action->text().startsWith(QStringLiteral("A city"))) entry = action;
        QVERIFY(entry);
        entry->trigger();
        QVERIFY(settle(m->controller()));
        QCOMPARE(m->shown().run()->prompt->expected, std::string("Paris"));
        QVERIFY(answerHolds(*m->shown().run()));
        QCOMPARE(m->selection().firstSpan()->tokens.size(), 6);
    }

    void switchesBetweenPromptsOfAllLengths() {
        // Marks, hover and range of a longer prompt must not reach into a shorter one.
        viz::ImportanceView& map = importance();
        for (const QString& text :
             {samplePrompt(3).text, QStringLiteral("a"), samplePrompt(1).text,
              QStringLiteral("one two three four five six seven eight nine ten"),
              samplePrompt(2).text}) {
            m->selection().pinToken(m->shown().run()->tokens() - 1, true);
            m->selection().pinHead(3, 1);
            QTest::mouseMove(&map, map.rect().center());
            page().setPrompt({.text = text});
            page().run();
            QVERIFY(settle(m->controller()));
            QVERIFY2(m->shown().phase() == Phase::Done, qPrintable(m->shown().phaseText()));
            for (viz::Panel* panel : m->window().board().panels()) {
                m->window().board().reveal(panel);
                QVERIFY(!panel->grab().isNull());
                for (int view = 0; view < panel->viewNames().size(); ++view) {
                    panel->setView(view);
                    QVERIFY(!panel->grab().isNull());
                }
            }
        }
    }

    void curvesBecomeExactAtTheirK() {
        const auto& panel = static_cast<viz::StabilizationPanel&>(m->panel("stabilization"));
        const auto exact = [this] { return m->shown().derived().exactAtK->k; };
        QCOMPARE(exact(), std::vector<std::int64_t>{panel.topK()});
        trace::Settings s = m->settings();
        s.tsp = trace::Amount::ofRate(0.4);
        m->workspace().settings.set(s);
        QVERIFY(settle(m->controller()));
        QCOMPARE(exact(), std::vector<std::int64_t>{panel.topK()});
        // Typed into the menu of the panel, it holds whatever TSP does, and clamps to the prompt.
        QSpinBox* typed = panel.findChild<QSpinBox*>();
        QVERIFY(typed);
        typed->setFocus();
        typed->selectAll();
        QTest::keyClicks(typed, QStringLiteral("77"));
        press(Qt::Key_Return);
        QCOMPARE(panel.topK(), std::int64_t{77});
        QVERIFY(settle(m->controller()));
        QCOMPARE(exact(), std::vector<std::int64_t>{77});
        QVERIFY(!panel.chart(viz::StabilizationPanel::Curves)
                     ->readout()
                     .contains(QStringLiteral("between")));
        s.tsp = trace::Amount::ofRate(0.3);
        m->workspace().settings.set(s);
        QVERIFY(settle(m->controller()));
        QCOMPARE(exact(), std::vector<std::int64_t>{77});
        page().setPrompt({.text = QStringLiteral("one two three four five six seven eight nine")});
        page().run();
        QVERIFY(settle(m->controller()));
        QVERIFY(panel.topK() < 77);
        QCOMPARE(exact(), std::vector<std::int64_t>{panel.topK()});
        page().setPrompt({.text = samplePrompt(1).text});
        page().run();
        QVERIFY(settle(m->controller()));
        QCOMPARE(exact(), std::vector<std::int64_t>{77});
    }

    void readoutsAreSaidInWordsThatFit() {
        QStringList cut;
        for (const bool presenter : {false, true}) {
            m->workspace().theme.setPresenter(presenter);
            m->window().resize(1280, 800);
            for (const char* name : {"stabilization", "timing", "heads"}) {
                viz::Panel& panel = m->panel(name);
                m->window().board().reveal(&panel);
                for (int view = 0; view < panel.viewNames().size(); ++view) {
                    panel.setView(view);
                    for (const int pointed : {-1, 0, 7, 12, 15}) {
                        m->selection().setHover({-1, {}, pointed, pointed < 0 ? -1 : 2});
                        QApplication::processEvents();
                        const QString shown = panel.shownReadout();
                        if (shown.endsWith(QStringLiteral("…")))
                            cut << QStringLiteral("%1, view %2, layer %3%4: %5")
                                       .arg(QLatin1String(name))
                                       .arg(view)
                                       .arg(pointed)
                                       .arg(presenter ? QStringLiteral(", presenter") : QString(),
                                            panel.readout());
                    }
                }
                panel.setView(0);
            }
        }
        m->workspace().theme.setPresenter(false);
        QVERIFY2(cut.isEmpty(), qPrintable(cut.join(QLatin1Char('\n'))));
    }

    void answersFitBelowAtTheUsualSize() {
        const auto& panel = static_cast<viz::AnswersPanel&>(m->panel("answers"));
        viz::AnswersView& view = panel.answers();
        for (const QSize& size : {QSize(1280, 740), QSize(1280, 800)}) {
            m->window().resize(size);
            QApplication::processEvents();
            const int below = view.viewport()->height() - view.geometry().barsBottom();
            QVERIFY2(below >= 3, qPrintable(QString::number(below)));
            QVERIFY(view.geometry().klHeight >= 24);
            QCOMPARE(view.verticalScrollBar()->maximum(), 0);
        }
        m->panel("answers").setView(1);
        QApplication::processEvents();
        QVERIFY(view.geometry().blocks.size() > 1);
        view.verticalScrollBar()->setValue(view.verticalScrollBar()->maximum());
        const int bottom = view.geometry().barsBottom() - view.verticalScrollBar()->value();
        QVERIFY(view.viewport()->height() - bottom >= 3);
        m->picture("all-tokens");
    }

    void aPanelExportsThroughADialog() {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("layers.csv"));
        QTimer::singleShot(0, this, [&path] {
            auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
            QVERIFY(dialog);
            dialog->selectFile(path);
            QMetaObject::invokeMethod(dialog, "accept");
        });
        viz::Panel& panel = m->panel("importance");
        Q_EMIT panel.exportRequested(&panel, QStringLiteral("csv"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(QString::fromUtf8(file.readAll()), panel.csv());
    }

    void savesEveryFigure() {
        QTemporaryDir folder;
        const QStringList reasons =
            FigureSaver::saveAll(m->window().board().panels(), folder.path(), 2.0);
        QVERIFY2(reasons.isEmpty(), qPrintable(reasons.join(QLatin1Char('\n'))));
        const QDir dir(folder.path());
        QCOMPARE(dir.entryList(QDir::Files).size(), 3 * m->window().board().panels().size());
        for (const QFileInfo& file : dir.entryInfoList(QDir::Files))
            QVERIFY2(file.size() > 200, qPrintable(file.fileName()));
        QVERIFY(!FigureSaver::saveAll({&m->panel("timing")}, QStringLiteral("/no/such"), 1.0)
                     .isEmpty());

        Q_EMIT m->panel("importance")
            .exportRequested(&m->panel("importance"), QStringLiteral("copy"));
        QVERIFY(!QApplication::clipboard()->image().isNull());
    }

private:
    PromptPage& page() { return *m->window().findChild<PromptPage*>(); }
    viz::ImportanceView& importance() {
        return *static_cast<viz::ImportancePanel&>(m->panel("importance")).map();
    }
    static QPoint rowPoint(const viz::ImportanceView& map, int layer, double share) {
        const viz::ImportanceLayout layout = map.layoutNow();
        return {layout.plotLeft + static_cast<int>(share * layout.plotWidth),
                layout.row(layer).center().y()};
    }

    std::unique_ptr<WindowFixture> m;
};

QTEST_MAIN(TestWindowViews)
#include "test_window_views.moc"
