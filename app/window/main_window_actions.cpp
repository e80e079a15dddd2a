// SPDX-License-Identifier: GPL-3.0-or-later
// What the actions, keys and drops of the window do.
#include "app/dialogs/about_dialog.h"
#include "app/dialogs/shortcuts_dialog.h"
#include "app/pages/prompt_page.h"
#include "app/pages/samples_menu.h"
#include "app/resources.h"
#include "app/run/samples.h"
#include "app/run/settings_text.h"
#include "app/run/text_file.h"
#include "app/window/main_window.h"
#include "app/window/recent.h"
#include "app/window/status_row.h"
#include "viz/plots/figure_export.h"
#include "viz/text/tokens_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QTextEdit>

namespace fkv::app {
namespace {

/// A shell takes 128 KiB in one word.
constexpr qsizetype kLongestWord = 100'000;

bool isTextField(const QWidget* widget) {
    return qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QTextEdit*>(widget) ||
           qobject_cast<const QPlainTextEdit*>(widget);
}

QString firstLocalPath(const QMimeData& data) {
    for (const QUrl& url : data.urls())
        if (url.isLocalFile()) return url.toLocalFile();
    return {};
}

} // namespace

void MainWindow::start(const StartOptions& options) {
    m_board->panel(QStringLiteral("importance"))->setFocus();
    if (options.theme == QLatin1String("dark"))
        m_workspace.theme.setChoice(viz::Theme::Choice::Dark);
    if (options.theme == QLatin1String("light"))
        m_workspace.theme.setChoice(viz::Theme::Choice::Light);
    const QString path = options.path.isEmpty() ? resourcePath(QStringLiteral("models/demo"))
                                                : QFileInfo(options.path).absoluteFilePath();
    if (kindOf(path) == PathKind::Trace) return m_workspace.controller.openTrace(path);
    if (options.promptFile.isEmpty())
        loadSample({});
    else
        loadText(options.promptFile);
    m_workspace.controller.openModel(path);
}

void MainWindow::openPath(const QString& path) {
    switch (kindOf(path)) {
    case PathKind::Model:
        return m_workspace.controller.openModel(path);
    case PathKind::Trace:
        return m_workspace.controller.openTrace(path);
    case PathKind::File:
    case PathKind::Other: // says what it is
        if (loadText(path)) m_promptPage->run();
        return;
    case PathKind::Folder:
        break;
    }
    showFailure({tr("%1 holds no model").arg(path),
                 tr("A model folder holds config.json, a tokenizer and safetensors files."),
                 false});
}

bool MainWindow::loadText(const QString& path) {
    try {
        const QString text = readPromptFile(path);
        m_promptPage->setPrompt({.text = text}, QFileInfo(path).fileName());
        m_loaded = {QFileInfo(path).absoluteFilePath(), text};
        m_editedSinceRun = false;
        return true;
    } catch (...) {
        showFailure(failureOf(std::current_exception()));
        return false;
    }
}

void MainWindow::loadSample(const QString& id) {
    try {
        for (const Sample& sample : loadSamples(resourcePath(QStringLiteral("prompts"))).samples) {
            if (id.isEmpty() || sample.id == id) return showSample(sample);
        }
    } catch (...) {
        showFailure(failureOf(std::current_exception()));
    }
}

void MainWindow::showSample(const Sample& sample) {
    m_promptPage->showSample(sample);
    m_loaded = {sample.path, m_promptPage->prompt().text};
    m_editedSinceRun = false;
}

void MainWindow::fillSamples() {
    QMenu* menu = m_toolbar->samples;
    menu->clear();
    try {
        fillSamplesMenu(*menu, loadSamples(resourcePath(QStringLiteral("prompts"))),
                        [this](const Sample& sample) {
                            try {
                                showSample(sample);
                                m_promptPage->run();
                            } catch (...) {
                                showFailure(failureOf(std::current_exception()));
                            }
                        });
    } catch (...) {
        menu->addAction(failureOf(std::current_exception()).message)->setEnabled(false);
    }
}

void MainWindow::fillRecent(QMenu* menu, const char* key, const QList<QAction*>& first) {
    menu->clear();
    menu->addActions(first);
    if (menu == m_toolbar->models)
        connect(menu->addAction(tr("&Demo model")), &QAction::triggered, this,
                [this] { openPath(resourcePath(QStringLiteral("models/demo"))); });
    if (!m_store) return;
    const QStringList paths = recentPaths(*m_store, key);
    if (!paths.isEmpty()) menu->addSection(tr("Recent"));
    for (const QString& path : paths)
        connect(menu->addAction(QDir::toNativeSeparators(path)), &QAction::triggered, this,
                [this, path] { openPath(path); });
}

void MainWindow::askModel() {
    const QString folder =
        QFileDialog::getExistingDirectory(this, tr("Model folder"), m_saver->folder());
    if (folder.isEmpty()) return;
    m_saver->setFolder(QFileInfo(folder).absolutePath());
    m_workspace.controller.openModel(folder);
}

void MainWindow::askTrace() {
    const QString path = QFileDialog::getOpenFileName(this, tr("Open trace"), m_saver->folder(),
                                                      tr("Traces (*.safetensors);;All files (*)"));
    if (path.isEmpty()) return;
    m_saver->setFolder(QFileInfo(path).absolutePath());
    m_workspace.controller.openTrace(path);
}

void MainWindow::askLocate() {
    Controller& controller = m_workspace.controller;
    if (!controller.recorded()) return;
    // No question where the answer is known.
    if (controller.modelFits()) return controller.locateModel(controller.model()->folder);
    const QString recorded = QString::fromStdString(m_workspace.shown.run()->model.path);
    if (kindOf(recorded) == PathKind::Model) return controller.locateModel(recorded);
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Folder of %1").arg(QString::fromStdString(m_workspace.shown.run()->model.name)),
        m_saver->folder());
    if (!folder.isEmpty()) controller.locateModel(folder);
}

void MainWindow::askSaveTrace() {
    if (!m_workspace.shown.run()) return;
    const QString path = m_saver->askFile(tr("Save trace"), QStringLiteral("trace.safetensors"),
                                          tr("Traces (*.safetensors)"));
    if (!path.isEmpty()) m_workspace.controller.saveTrace(path);
}

void MainWindow::askSavePicture() {
    const QPixmap picture = grab();
    const QString path =
        m_saver->askFile(tr("Save a picture of the window"), QStringLiteral("fastkv-scope.png"),
                         tr("Pictures (*.png)"));
    if (path.isEmpty()) return;
    if (picture.save(path))
        showNotice(tr("Saved %1").arg(path));
    else
        showFailure({tr("%1 could not be written").arg(path), tr("Choose another folder."), false});
}

void MainWindow::askSaveJson() {
    const QString path =
        m_saver->askFile(tr("Save settings"), QStringLiteral("settings.json"), tr("JSON (*.json)"));
    if (path.isEmpty()) return;
    const QString reason = viz::saveText(path, settingsJson(m_workspace.settings.settings()));
    if (reason.isEmpty())
        showNotice(tr("Saved %1").arg(path));
    else
        showFailure({reason, tr("Choose another folder."), false});
}

void MainWindow::copyJson() {
    QApplication::clipboard()->setText(settingsJson(m_workspace.settings.settings()));
    showNotice(tr("Settings copied as JSON"));
}

void MainWindow::copyCommand() {
    CommandSource source;
    if (const LoadedModel* model = m_workspace.controller.model())
        source.modelFolder = model->folder;
    const PromptInput prompt = m_promptPage->prompt();
    const QString text = prompt.text;
    source.chat = prompt.chat;
    if (text == m_loaded.text) source.promptFile = m_loaded.file;
    if (text.toUtf8().size() <= kLongestWord)
        source.promptText = text;
    else if (source.promptFile.isEmpty())
        source.promptFile = QStringLiteral("prompt.txt");
    QApplication::clipboard()->setText(commandLine(m_workspace.settings.settings(), source));
    showNotice(tr("Settings copied as a command line"));
}

void MainWindow::findToken() {
    m_board->reveal(m_tokens);
    m_tokens->openFind();
}

void MainWindow::toggleMaximised() {
    if (m_board->maximised()) return m_board->restore();
    for (QWidget* w = m_lastView; w; w = w->parentWidget())
        if (auto* panel = qobject_cast<viz::Panel*>(w)) return m_board->maximise(panel);
    m_board->maximise(m_board->panel(QStringLiteral("importance")));
}

void MainWindow::showKeys() {
    auto* sheet = new ShortcutsDialog(m_workspace.theme, this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->show();
}

void MainWindow::showAbout() {
    const LoadedModel* model = m_workspace.controller.model();
    const QString device =
        model ? QStringLiteral("%1, %2").arg(QString::fromStdString(model->device.cpu),
                                             QString::fromStdString(model->device.blas))
              : QString();
    auto* about = new AboutDialog(m_workspace.theme, device, this);
    about->setAttribute(Qt::WA_DeleteOnClose);
    about->show();
}

void MainWindow::showFailure(const Failure& failure) {
    m_errors->showFailure(failure);
}

void MainWindow::showNotice(const QString& text) {
    m_status->showNotice(text);
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::FocusIn) {
        auto* widget = qobject_cast<QWidget*>(watched);
        for (QWidget* w = widget; w && w->window() == this; w = w->parentWidget())
            if (qobject_cast<viz::Panel*>(w) && !isTextField(widget)) m_lastView = widget;
    }
    if (event->type() == QEvent::KeyPress) {
        const auto* widget = qobject_cast<QWidget*>(watched);
        if (static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape && widget &&
            widget->window() == this && escapesMaximised(*widget)) {
            m_board->restore();
            return true;
        }
    }
    return QMainWindow::eventFilter(watched, event);
}

bool MainWindow::escapesMaximised(const QWidget& focus) const {
    // A maximised panel returns before a view takes Esc for its pins, but after popups, text fields
    // (a find bar closes first) and whatever is being dragged (VIEWS section 1).
    return m_board->maximised() && !m_workspace.settings.dragging() &&
           QApplication::mouseButtons() == Qt::NoButton && !QApplication::activePopupWidget() &&
           !isTextField(&focus);
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) {
        // What nobody else wanted.
        if (m_workspace.settings.dragging()) return m_workspace.settings.cancelDrag();
        if (!isTextField(QApplication::focusWidget())) return m_workspace.selection.clearPins();
        if (m_lastView) m_lastView->setFocus();
        return;
    }
    if (event->text() == QLatin1String("?")) return m_toolbar->shortcuts->trigger();
    QMainWindow::keyPressEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!firstLocalPath(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const QString path = firstLocalPath(*event->mimeData());
    if (path.isEmpty()) return;
    event->acceptProposedAction();
    openPath(path);
}

} // namespace fkv::app
