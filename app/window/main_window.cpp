// SPDX-License-Identifier: GPL-3.0-or-later
// How the window is put together. What its actions do is in main_window_actions.cpp.
#include "app/window/main_window.h"

#include "app/pages/prompt_page.h"
#include "app/pages/settings_page.h"
#include "app/resources.h"
#include "app/window/recent.h"
#include "app/window/status_row.h"
#include "engine/core/error.h"
#include "viz/plots/answers_panel.h"
#include "viz/plots/heads_panel.h"
#include "viz/plots/importance_panel.h"
#include "viz/plots/readouts_view.h"
#include "viz/plots/stabilization_panel.h"
#include "viz/plots/timing_panel.h"
#include "viz/series/format.h"
#include "viz/text/tokens_panel.h"

#include <QApplication>
#include <QCloseEvent>
#include <QMenu>
#include <QSettings>
#include <QStatusBar>
#include <QVBoxLayout>

namespace fkv::app {
namespace {

constexpr QSize kDefaultSize(1280, 740);
const QString kDecodingOpen = QStringLiteral("decodingOpen");
const QString kTargets = QStringLiteral("targets");

} // namespace

MainWindow::MainWindow(Workspace& workspace, std::unique_ptr<QSettings> store)
    : m_workspace(workspace), m_store(std::move(store)) {
    setWindowIcon(QIcon(resourcePath(QStringLiteral("icons/fastkv-scope.svg"))));
    nameWindow();
    setAcceptDrops(true);
    setupParts();
    setupPrompt();
    setupToolbar();
    setupMenus();
    setupExports();
    setupStatus();
    setupFollowing();
    restoreLook();
    qApp->installEventFilter(this);
}

MainWindow::~MainWindow() = default;

void MainWindow::setupParts() {
    const viz::ViewContext context = m_workspace.context();
    m_promptPage = new PromptPage(context);
    Board::Parts parts;
    parts.prompt = m_promptPage;
    m_tokens = new viz::TokensPanel(context);
    parts.tokens = m_tokens;
    auto* stabilization = new viz::StabilizationPanel(context);
    connect(stabilization, &viz::StabilizationPanel::topKChanged, this,
            [this, stabilization] { m_workspace.controller.setTopK(stabilization->topK()); });
    parts.centre = {new viz::ImportancePanel(context), stabilization, new viz::HeadsPanel(context),
                    new viz::TimingPanel(context), new viz::AnswersPanel(context)};
    m_settingsPage = new SettingsPage(context);
    parts.settings = m_settingsPage;
    m_readouts = new viz::ReadoutsView(context);
    parts.readouts = m_readouts;
    m_board = new Board(parts, m_workspace.theme);
    m_errors = new ErrorBar(m_workspace.theme);
    auto* column = new QWidget(this);
    auto* layout = new QVBoxLayout(column);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_errors);
    layout->addWidget(m_board, 1);
    setCentralWidget(column);
}

void MainWindow::setupPrompt() {
    Controller& controller = m_workspace.controller;
    connect(m_promptPage, &PromptPage::promptEdited, this, [this] { m_editedSinceRun = true; });
    connect(m_promptPage, &PromptPage::runRequested, this, [this](const PromptInput& prompt) {
        m_editedSinceRun = false;
        m_workspace.controller.setPrompt(prompt);
        m_workspace.controller.run();
    });
    connect(m_promptPage, &PromptPage::countRequested, this,
            [this](const PromptInput& prompt, quint64 id) {
                m_workspace.controller.setPrompt(prompt);
                if (const LoadedModel* model = m_workspace.controller.model())
                    m_counter.count(*model, prompt, id);
            });
    connect(m_promptPage, &PromptPage::fitRequested, this, [this](qint64 tokens, quint64 id) {
        const Controller& c = m_workspace.controller;
        if (const LoadedModel* model = c.model())
            m_counter.fit(
                *model, {tokens, m_workspace.settings.settings(), {c.memoryLimit(), {}}, c.rates()},
                id);
    });
    connect(&m_counter, &TokenCounter::counted, m_promptPage, &PromptPage::setCount);
    connect(&m_counter, &TokenCounter::fitted, m_promptPage, &PromptPage::setFit);
    // Settings decide what a run needs, and a run how long the next one takes.
    m_fitDelay.setSingleShot(true);
    m_fitDelay.setInterval(kFitDelayMs);
    connect(&m_fitDelay, &QTimer::timeout, m_promptPage, &PromptPage::refit);
    connect(&m_workspace.settings, &viz::SettingsModel::changed, &m_fitDelay,
            qOverload<>(&QTimer::start));
    connect(&controller, &Controller::settledDown, &m_fitDelay, qOverload<>(&QTimer::start));
    connect(&controller, &Controller::modelChanged, m_promptPage, [this] {
        m_promptPage->setChatSupport(m_workspace.controller.model()->chat);
        m_promptPage->recount(); // and the controller has the newest prompt before it analyses it
    });
    const auto block = [this] {
        m_promptPage->setBlocked(m_workspace.controller.model() ? QString()
                                                                : tr("No model is open."));
    };
    connect(&controller, &Controller::modelChanged, this, block);
    block();
    try {
        m_promptPage->setLibrary(loadFactLibrary(resourcePath(QStringLiteral("prompts"))));
    } catch (const Error&) {
        // Without its lists the page hides what is typed by hand.
    }
}

void MainWindow::setupToolbar() {
    m_toolbar = new Toolbar(m_workspace, this);
    addToolBar(Qt::TopToolBarArea, m_toolbar);
    const Toolbar& t = *m_toolbar;
    Controller& controller = m_workspace.controller;
    connect(t.openModel, &QAction::triggered, this, &MainWindow::askModel);
    connect(t.openTrace, &QAction::triggered, this, &MainWindow::askTrace);
    connect(t.locateModel, &QAction::triggered, this, &MainWindow::askLocate);
    connect(t.run, &QAction::triggered, m_promptPage, &PromptPage::run);
    connect(t.stop, &QAction::triggered, &controller, &Controller::stop);
    connect(t.measure, &QAction::triggered, &controller, &Controller::measure);
    connect(t.find, &QAction::triggered, this, &MainWindow::findToken);
    connect(t.maximise, &QAction::triggered, this, &MainWindow::toggleMaximised);
    connect(t.shortcuts, &QAction::triggered, this, &MainWindow::showKeys);
    connect(t.about, &QAction::triggered, this, &MainWindow::showAbout);
    const auto allowRun = [this] {
        const QString fault = m_promptPage->runFault();
        m_toolbar->run->setEnabled(fault.isEmpty());
        m_toolbar->run->setToolTip(fault.isEmpty() ? tr("Analyse the prompt (Ctrl+Enter)") : fault);
    };
    connect(m_promptPage, &PromptPage::runnableChanged, this, allowRun);
    allowRun();
    connect(t.resetLayout, &QAction::triggered, m_board, &Board::resetSizes);
}

void MainWindow::setupExports() {
    m_saver = new FigureSaver(this);
    connect(m_saver, &FigureSaver::saved, this,
            [this](const QString& path) { showNotice(tr("Saved %1").arg(path)); });
    connect(m_saver, &FigureSaver::failed, this, [this](const QString& reason) {
        showFailure({reason, tr("Choose another folder or free some space."), false});
    });
    for (viz::Panel* panel : m_board->panels())
        connect(panel, &viz::Panel::exportRequested, m_saver, &FigureSaver::exportPanel);
    const Toolbar& t = *m_toolbar;
    connect(t.saveTrace, &QAction::triggered, this, &MainWindow::askSaveTrace);
    connect(t.saveFigures, &QAction::triggered, this,
            [this] { m_saver->exportAll(m_board->panels()); });
    connect(t.savePicture, &QAction::triggered, this, &MainWindow::askSavePicture);
    connect(t.saveJson, &QAction::triggered, this, &MainWindow::askSaveJson);
    connect(t.copyJson, &QAction::triggered, this, &MainWindow::copyJson);
    connect(t.copyCommand, &QAction::triggered, this, &MainWindow::copyCommand);
}

void MainWindow::setupStatus() {
    m_status = new StatusRow(m_workspace, m_toolbar->locateModel, this);
    statusBar()->setSizeGripEnabled(false);
    statusBar()->addWidget(m_status, 1);
}

void MainWindow::setupFollowing() {
    Controller& controller = m_workspace.controller;
    connect(&controller, &Controller::failed, this, &MainWindow::showFailure);
    connect(m_errors, &ErrorBar::dismissed, &controller, &Controller::dismissFailure);
    connect(&controller, &Controller::stateChanged, this, &MainWindow::nameWindow);
    connect(&controller, &Controller::modelChanged, this, [this] {
        const LoadedModel& model = *m_workspace.controller.model();
        m_settingsPage->setModel(model.info);
        if (m_store) addRecent(*m_store, kRecentModels, model.folder);
    });
    connect(&controller, &Controller::traceOpened, this, [this](const QString& path) {
        if (m_store) addRecent(*m_store, kRecentTraces, path);
        m_errors->hide();
        showNotice(tr("Opened %1").arg(path));
    });
    connect(&controller, &Controller::promptReplaced, this, [this](const PromptInput& prompt) {
        m_promptPage->setPrompt(prompt, tr("From the trace"));
        m_promptPage->setChat(prompt.chat);
    });
    connect(&controller, &Controller::traceSaved, this, [this](const QString& path) {
        if (m_store) addRecent(*m_store, kRecentTraces, path);
        showNotice(tr("Saved %1").arg(path));
    });
    connect(&controller, &Controller::stateChanged, this, [this] {
        if (m_closeAfterSaving && !m_workspace.controller.saving()) close();
    });
    // What went wrong is no news any more once an analysis is under way.
    connect(&m_workspace.shown, &viz::Shown::phaseChanged, this, [this] {
        if (m_workspace.shown.phase() == viz::Shown::Phase::Running) m_errors->hide();
    });
    // A run's text is what one wants to see next, unless one has gone on typing.
    connect(&m_workspace.shown, &viz::Shown::runChanged, this, [this] {
        const trace::RunPtr& run = m_workspace.shown.run();
        const auto* prompt = run ? run->prompt.get() : nullptr;
        if (std::exchange(m_shownPrompt, prompt) == prompt || !prompt || m_editedSinceRun) return;
        m_board->reveal(m_tokens);
    });
}

void MainWindow::nameWindow() {
    const trace::RunPtr& run = m_workspace.shown.run();
    const QString name = tr("FastKV Scope");
    setWindowTitle(run ? QStringLiteral("%1 · %2 – %3")
                             .arg(QString::fromStdString(run->model.name),
                                  tr("%1 tokens").arg(viz::formatCount(run->tokens())), name)
                       : name);
}

void MainWindow::setupMenus() {
    const Toolbar& t = *m_toolbar;
    connect(t.models, &QMenu::aboutToShow, this, [this] {
        fillRecent(m_toolbar->models, kRecentModels,
                   {m_toolbar->openModel, m_toolbar->locateModel});
    });
    connect(t.traces, &QMenu::aboutToShow, this,
            [this] { fillRecent(m_toolbar->traces, kRecentTraces, {m_toolbar->openTrace}); });
    connect(t.samples, &QMenu::aboutToShow, this, &MainWindow::fillSamples);
}

void MainWindow::restoreLook() {
    resize(kDefaultSize);
    viz::Theme& theme = m_workspace.theme;
    if (m_store) {
        theme.setChoice(static_cast<viz::Theme::Choice>(
            std::clamp(m_store->value(QStringLiteral("theme"), 0).toInt(), 0, 2)));
        theme.setPresenter(m_store->value(QStringLiteral("presenter"), false).toBool());
        restoreGeometry(m_store->value(QStringLiteral("geometry")).toByteArray());
        m_board->restoreSizes(m_store->value(QStringLiteral("board")).toByteArray());
        m_saver->setFolder(m_store->value(QStringLiteral("folder"), m_saver->folder()).toString());
        m_settingsPage->decoding().setOpen(m_store->value(kDecodingOpen, false).toBool());
        m_readouts->setTargets(m_store->value(kTargets).toMap());
        connect(m_readouts, &viz::ReadoutsView::targetsChanged, this,
                [this] { m_store->setValue(kTargets, m_readouts->targets()); });
    }
    theme.apply();
}

void MainWindow::keepLook() {
    if (!m_store) return;
    m_store->setValue(QStringLiteral("theme"), static_cast<int>(m_workspace.theme.choice()));
    m_store->setValue(QStringLiteral("presenter"), m_workspace.theme.presenter());
    m_store->setValue(QStringLiteral("geometry"), saveGeometry());
    m_store->setValue(QStringLiteral("board"), m_board->saveSizes());
    m_store->setValue(kDecodingOpen, m_settingsPage->decoding().open());
    m_store->setValue(QStringLiteral("folder"), m_saver->folder());
}

void MainWindow::closeEvent(QCloseEvent* event) {
    // A file that was asked for is written to its end; a run is not waited for.
    if (m_workspace.controller.saving()) {
        m_closeAfterSaving = true;
        showNotice(tr("Closes when the trace is saved"));
        event->ignore();
        return;
    }
    keepLook();
    m_workspace.controller.stop();
    event->accept();
}

} // namespace fkv::app
