// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/toolbar.h"

#include <QActionGroup>
#include <QMenu>
#include <QToolButton>

namespace fkv::app {

Toolbar::Toolbar(Workspace& workspace, QWidget* parent) : QToolBar(parent), m_workspace(workspace) {
    setObjectName(QStringLiteral("toolbar"));
    setWindowTitle(tr("Toolbar"));
    setMovable(false);
    setFloatable(false);
    setContextMenuPolicy(Qt::PreventContextMenu);
    setToolButtonStyle(Qt::ToolButtonTextOnly);
    setupOpening();
    setupRunning();
    setupExports();
    setupDevices();
    setupView();
    setupHidden();
    connect(&m_workspace.controller, &Controller::stateChanged, this, &Toolbar::follow);
    connect(&m_workspace.controller, &Controller::modelChanged, this, &Toolbar::follow);
    connect(&m_workspace.shown, &viz::Shown::runChanged, this, &Toolbar::follow);
    connect(&m_workspace.settings, &viz::SettingsModel::historyChanged, this, &Toolbar::follow);
    // A tool bar does not measure its buttons again when the application's font changes, only when
    // its own does.
    connect(&m_workspace.theme, &viz::Theme::changed, this,
            [this] { setFont(m_workspace.theme.font()); });
    follow();
}

QAction* Toolbar::action(const QString& text, const QKeySequence& key, const QString& tip) {
    auto* made = new QAction(text, this);
    made->setShortcut(key);
    made->setShortcutContext(Qt::WindowShortcut);
    made->setToolTip(
        key.isEmpty() ? tip
                      : QStringLiteral("%1 (%2)").arg(tip, key.toString(QKeySequence::NativeText)));
    return made;
}

QToolButton* Toolbar::menuButton(const QString& text, QMenu* menu, const QString& tip) {
    auto* button = new QToolButton(this);
    button->setText(text + QStringLiteral(" ▾"));
    button->setMenu(menu);
    button->setPopupMode(QToolButton::InstantPopup);
    button->setToolTip(tip);
    button->setFocusPolicy(Qt::TabFocus);
    addWidget(button);
    return button;
}

void Toolbar::setupOpening() {
    openModel = action(tr("Open &model…"), QKeySequence(Qt::CTRL | Qt::Key_O),
                       tr("Open a model folder in Hugging Face layout"));
    openTrace = action(tr("Open &trace…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O),
                       tr("Open a recorded run"));
    locateModel =
        action(tr("&Locate model…"), {}, tr("Attach the model of the recorded run on show"));
    models = new QMenu(this);
    traces = new QMenu(this);
    samples = new QMenu(this);
    menuButton(tr("Open model"), models, openModel->toolTip())
        ->setObjectName(QStringLiteral("openModel"));
    menuButton(tr("Open trace"), traces, openTrace->toolTip())
        ->setObjectName(QStringLiteral("openTrace"));
    menuButton(tr("Samples"), samples, tr("Prompts with a known answer"))
        ->setObjectName(QStringLiteral("samples"));
    addSeparator();
}

void Toolbar::setupRunning() {
    run = action(tr("Run ▶"), QKeySequence(Qt::CTRL | Qt::Key_Return), tr("Analyse the prompt"));
    stop = action(tr("Stop ■"), QKeySequence(Qt::CTRL | Qt::Key_Period),
                  tr("Stop what is being done"));
    measure = action(tr("Measure"), QKeySequence(Qt::CTRL | Qt::Key_R),
                     tr("Run the deployed path %1 times without capture and time it")
                         .arg(Controller::kMeasureRepeats));
    addActions({run, stop, measure});
    addSeparator();
}

void Toolbar::setupExports() {
    saveTrace =
        action(tr("&Trace…"), QKeySequence(Qt::CTRL | Qt::Key_S), tr("Save the run as a trace"));
    saveFigures = action(tr("All &figures and numbers to a folder…"), {}, {});
    savePicture = action(tr("&Picture of the window…"), {}, {});
    saveJson = action(tr("&Settings as JSON…"), {}, {});
    copyJson = action(tr("Copy settings as &JSON"), {}, {});
    copyCommand = action(tr("&Copy settings as command line"),
                         QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), {});
    exports = new QMenu(this);
    exports->addActions({saveTrace, saveFigures, savePicture});
    exports->addSeparator();
    exports->addActions({saveJson, copyJson, copyCommand});
    m_exportButton = menuButton(tr("Export"), exports, tr("Save or copy (Ctrl+E)"));
    m_exportButton->setObjectName(QStringLiteral("export"));
}

void Toolbar::setupDevices() {
    devices = new QMenu(this);
    auto* group = new QActionGroup(this);
    QStringList names{QStringLiteral("auto")};
    for (const std::string& name : ops::availableDevices())
        names << QString::fromStdString(name);
    m_anyGpu = names.size() > 2;
    for (const QString& name : names) {
        QAction* entry =
            devices->addAction(name == QLatin1String("auto") ? tr("Automatic") : name.toUpper());
        entry->setCheckable(true);
        entry->setChecked(name == m_workspace.controller.device());
        entry->setData(name);
        group->addAction(entry);
    }
    connect(group, &QActionGroup::triggered, this,
            [this](QAction* entry) { m_workspace.controller.setDevice(entry->data().toString()); });
    devices->addSeparator();
    kernels = action(tr("Record &kernels"), {},
                     tr("Kernels of the GPU below their zones in Timing, from the next prompt or "
                        "measurement on; what is recorded runs longer"));
    kernels->setCheckable(true);
    connect(kernels, &QAction::toggled, this,
            [this](bool on) { m_workspace.controller.setTracesKernels(on); });
    devices->addAction(kernels);
    devices->setToolTipsVisible(true);
    menuButton(tr("Device"), devices, tr("Where the engine computes"))
        ->setObjectName(QStringLiteral("device"));
}

void Toolbar::setupView() {
    view = new QMenu(this);
    auto* group = new QActionGroup(this);
    using Choice = viz::Theme::Choice;
    const std::pair<QString, Choice> themes[] = {{tr("Theme of the system"), Choice::System},
                                                 {tr("Light theme"), Choice::Light},
                                                 {tr("Dark theme"), Choice::Dark}};
    for (const auto& [text, choice] : themes) {
        QAction* entry = view->addAction(text);
        entry->setCheckable(true);
        entry->setData(static_cast<int>(choice));
        entry->setChecked(choice == m_workspace.theme.choice());
        group->addAction(entry);
        connect(entry, &QAction::triggered, this,
                [this, choice = choice] { m_workspace.theme.setChoice(choice); });
    }
    connect(&m_workspace.theme, &viz::Theme::changed, group, [this, group] {
        for (QAction* entry : group->actions())
            entry->setChecked(entry->data().toInt() ==
                              static_cast<int>(m_workspace.theme.choice()));
    });
    view->addSeparator();
    presenter = action(tr("&Presenter type"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P),
                       tr("Everything 1.5 times as large, panels as tabs"));
    presenter->setCheckable(true);
    connect(presenter, &QAction::triggered, this,
            [this](bool on) { m_workspace.theme.setPresenter(on); });
    connect(&m_workspace.theme, &viz::Theme::changed, presenter,
            [this] { presenter->setChecked(m_workspace.theme.presenter()); });
    // The panel that has the focus takes F11 itself; here it stands for people who look for it.
    maximise = action(tr("&Maximise panel\tF11"), {}, {});
    resetLayout = action(tr("&Reset layout"), {}, {});
    shortcuts = action(tr("&Keys and mouse"), QKeySequence(Qt::Key_F1), tr("Keys and mouse"));
    about = action(tr("&About FastKV Scope"), {}, {});
    view->addActions({presenter, maximise, resetLayout});
    view->addSeparator();
    view->addActions({shortcuts, about});
    menuButton(tr("View"), view, tr("Theme, type size, layout, keys"))
        ->setObjectName(QStringLiteral("view"));
}

void Toolbar::setupHidden() {
    undo = action(tr("Undo settings"), QKeySequence(Qt::CTRL | Qt::Key_Z), {});
    redo = action(tr("Redo settings"), {}, {});
    redo->setShortcuts(
        {QKeySequence(Qt::CTRL | Qt::Key_Y), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z)});
    find = action(tr("Find in the prompt"), QKeySequence(Qt::CTRL | Qt::Key_F), {});
    auto* exportKey = action(tr("Export"), QKeySequence(Qt::CTRL | Qt::Key_E), {});
    connect(exportKey, &QAction::triggered, this, &Toolbar::popupExports);
    connect(undo, &QAction::triggered, &m_workspace.settings, &viz::SettingsModel::undo);
    connect(redo, &QAction::triggered, &m_workspace.settings, &viz::SettingsModel::redo);
    // Actions answer to their keys only in a widget of the window.
    parentWidget()->addActions({openModel, openTrace, saveTrace, copyCommand, presenter, shortcuts,
                                undo, redo, find, exportKey});
}

void Toolbar::popupExports() {
    if (m_exportButton->isVisible()) m_exportButton->showMenu();
}

void Toolbar::follow() {
    const Controller& controller = m_workspace.controller;
    // Run is the prompt page's to allow.
    const bool shown = m_workspace.shown.run() != nullptr;
    stop->setEnabled(controller.busy());
    measure->setEnabled(controller.canMeasure());
    kernels->setEnabled(m_anyGpu && controller.device() != QLatin1String("cpu"));
    locateModel->setEnabled(controller.recorded());
    for (QAction* entry : {saveTrace, saveFigures, find})
        entry->setEnabled(shown);
    undo->setEnabled(m_workspace.settings.canUndo());
    redo->setEnabled(m_workspace.settings.canRedo());
}

} // namespace fkv::app
