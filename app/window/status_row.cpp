// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/status_row.h"

#include "app/pages/status_parts.h"

#include <QAction>
#include <QHBoxLayout>
#include <QToolButton>

namespace fkv::app {

StatusRow::StatusRow(Workspace& workspace, QAction* locateModel, QWidget* parent)
    : QWidget(parent),
      m_workspace(workspace),
      m_device(new viz::ElidedLabel(this)),
      m_notice(new viz::ElidedLabel(this)),
      m_locate(new QToolButton(this)) {
    const viz::ViewContext context = workspace.context();
    auto* progress = new RunProgress(context, this);
    connect(progress, &RunProgress::cancelRequested, &workspace.controller, &Controller::stop);
    m_locate->setDefaultAction(locateModel);
    m_locate->setAutoRaise(true);
    m_device->setAccessibleName(tr("Device and model"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(6, 0, 6, 0);
    row->setSpacing(m_workspace.theme.scaled(14));
    row->addWidget(m_device);
    row->addWidget(new MemoryLabel(context, this));
    row->addWidget(new StateChip(context, this));
    row->addWidget(m_locate);
    row->addWidget(m_notice, 1);
    row->addWidget(progress);
    m_noticeTimer.setSingleShot(true);
    m_noticeTimer.setInterval(kNoticeMs);
    connect(&m_noticeTimer, &QTimer::timeout, this, [this] { m_notice->setText({}); });
    connect(&workspace.controller, &Controller::stateChanged, this, &StatusRow::follow);
    connect(&workspace.controller, &Controller::modelChanged, this, &StatusRow::follow);
    connect(&workspace.theme, &viz::Theme::changed, this, &StatusRow::applyTheme);
    applyTheme();
    follow();
}

void StatusRow::showNotice(const QString& text) {
    m_notice->setText(text);
    m_notice->setToolTip(text);
    m_noticeTimer.start();
}

void StatusRow::follow() {
    m_locate->setVisible(m_workspace.controller.recorded());
    const LoadedModel* model = m_workspace.controller.model();
    if (!model) {
        m_device->setText(tr("No model"));
        m_device->setToolTip({});
        return;
    }
    const ops::DeviceInfo& device = model->device;
    const QString threads =
        device.threads == 1 ? tr("1 thread") : tr("%1 threads").arg(device.threads);
    m_device->setText(QStringLiteral("%1, %2 · %3")
                          .arg(QString::fromStdString(device.name), threads,
                               QString::fromStdString(model->info.name)));
    m_device->setToolTip(QStringLiteral("%1\n%2\n%3")
                             .arg(QString::fromStdString(device.cpu),
                                  QString::fromStdString(device.blas), model->folder));
}

void StatusRow::applyTheme() {
    const viz::Palette& colours = m_workspace.theme.palette();
    for (viz::ElidedLabel* label : {m_device, m_notice}) {
        label->setFont(m_workspace.theme.smallFont());
        label->setColors(colours.text, colours.mutedText);
    }
    m_locate->setFont(m_workspace.theme.smallFont());
}

} // namespace fkv::app
