// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_line.h"
#include "app/run/token_counter.h"
#include "app/window/board.h"
#include "app/window/error_bar.h"
#include "app/window/figure_saver.h"
#include "app/window/toolbar.h"
#include "app/window/workspace.h"

#include <QMainWindow>
#include <QPointer>
#include <QTimer>
#include <memory>

class QSettings;

namespace fkv::viz {
class ReadoutsView;
class TokensPanel;
} // namespace fkv::viz

namespace fkv::app {

class PromptPage;
struct Sample;
class SettingsPage;
class StatusRow;

/// The window. `workspace` outlives it. With a store it remembers layout, theme, type size,
/// targets and recent paths; without one (pictures from a command line) it always looks the same.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(Workspace& workspace, std::unique_ptr<QSettings> store = nullptr);
    ~MainWindow() override;

    /// Opens what the command line names; without a name the demo model and the first sample.
    void start(const StartOptions& options);
    /// A model folder, a trace or a text file, told apart by content.
    void openPath(const QString& path);

    Workspace& workspace() { return m_workspace; }
    Board& board() { return *m_board; }
    Toolbar& toolbar() { return *m_toolbar; }
    /// What the error bar says; empty while it says nothing.
    Failure failure() const { return m_errors->failure(); }

protected:
    void closeEvent(QCloseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void setupParts();
    void setupPrompt();
    void setupToolbar();
    void setupExports();
    void setupStatus();
    void setupFollowing();
    void setupMenus();
    void nameWindow();
    void restoreLook();
    void keepLook();

    void fillRecent(QMenu* menu, const char* key, const QList<QAction*>& first);
    void fillSamples();
    void askModel();
    void askTrace();
    void askLocate();
    void askSaveTrace();
    void askSavePicture();
    void askSaveJson();
    void copyJson();
    void copyCommand();
    bool loadText(const QString& path);
    /// The first sample for an empty id.
    void loadSample(const QString& id);
    void showSample(const Sample& sample);
    void findToken();
    void toggleMaximised();
    void showKeys();
    void showAbout();
    void showFailure(const Failure& failure);
    void showNotice(const QString& text);
    bool escapesMaximised(const QWidget& focus) const;

    Workspace& m_workspace;
    std::unique_ptr<QSettings> m_store;
    Toolbar* m_toolbar = nullptr;
    ErrorBar* m_errors = nullptr;
    Board* m_board = nullptr;
    PromptPage* m_promptPage = nullptr;
    SettingsPage* m_settingsPage = nullptr;
    viz::TokensPanel* m_tokens = nullptr;
    viz::ReadoutsView* m_readouts = nullptr;
    StatusRow* m_status = nullptr;
    FigureSaver* m_saver = nullptr;
    QPointer<QWidget> m_lastView; ///< where Esc in a text field gives the focus back to
    /// The file that the prompt was read from, while it says the same.
    struct Loaded {
        QString file, text;
    } m_loaded;
    TokenCounter m_counter;
    QTimer m_fitDelay;
    static constexpr int kFitDelayMs = 300;
    bool m_editedSinceRun = false;
    const trace::Prompt* m_shownPrompt = nullptr; ///< compared, never looked into
    bool m_closeAfterSaving = false;
};

} // namespace fkv::app
