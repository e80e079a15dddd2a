// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/window/workspace.h"

#include <QToolBar>

class QMenu;
class QToolButton;

namespace fkv::app {

/// Everything that can be asked of the window, as actions that buttons, menus and keys share. It
/// only offers: the window connects what they do. Enabled states follow the controller.
class Toolbar : public QToolBar {
    Q_OBJECT
public:
    explicit Toolbar(Workspace& workspace, QWidget* parent = nullptr);

    QAction *openModel, *openTrace, *locateModel;
    QAction *run, *stop, *measure;
    QAction *saveTrace, *copyCommand, *copyJson, *saveJson, *saveFigures, *savePicture;
    QAction* kernels;
    QAction *undo, *redo, *find, *maximise, *presenter, *resetLayout, *shortcuts, *about;
    QMenu *models, *traces, *samples, *exports, *devices, *view;

    /// Opens the export menu under its button (Ctrl+E).
    void popupExports();

private:
    QAction* action(const QString& text, const QKeySequence& key, const QString& tip);
    QToolButton* menuButton(const QString& text, QMenu* menu, const QString& tip);
    void setupOpening();
    void setupRunning();
    void setupExports();
    void setupDevices();
    void setupView();
    void setupHidden();
    void follow();

    Workspace& m_workspace;
    QToolButton* m_exportButton = nullptr;
    bool m_anyGpu = false;
};

} // namespace fkv::app
