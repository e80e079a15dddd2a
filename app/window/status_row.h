// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/window/workspace.h"
#include "viz/plots/elided_label.h"

#include <QTimer>
#include <QWidget>

class QToolButton;

namespace fkv::app {

/// The status bar's one row: device and model · memory · how sure the values are, with "Locate
/// model…" beside a recorded run · a notice for a while · progress with Cancel.
class StatusRow : public QWidget {
    Q_OBJECT
public:
    StatusRow(Workspace& workspace, QAction* locateModel, QWidget* parent = nullptr);
    /// Says something for a few seconds.
    void showNotice(const QString& text);
    QString notice() const { return m_notice->text(); }

private:
    void follow();
    void applyTheme();

    static constexpr int kNoticeMs = 6000;

    Workspace& m_workspace;
    viz::ElidedLabel *m_device, *m_notice;
    QToolButton* m_locate;
    QTimer m_noticeTimer;
};

} // namespace fkv::app
