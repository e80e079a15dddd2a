// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/view_switch.h"

#include <QAction>
#include <QActionGroup>
#include <QButtonGroup>
#include <QEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QToolButton>

namespace fkv::viz {

ViewSwitch::ViewSwitch(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    m_row = new QWidget(this);
    auto* layout = new QHBoxLayout(m_row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(1);
    m_buttons = new QButtonGroup(this);
    connect(m_buttons, &QButtonGroup::idClicked, this, &ViewSwitch::pick);
    m_menuButton = new QToolButton(this);
    m_menuButton->setAutoRaise(true);
    m_menuButton->setFocusPolicy(Qt::TabFocus);
    m_menuButton->setPopupMode(QToolButton::InstantPopup);
    m_menuButton->setAccessibleName(tr("View"));
    m_menuButton->setMenu(new QMenu(m_menuButton));
}

void ViewSwitch::setNames(const QStringList& names) {
    m_names = names;
    m_current = 0;
    auto* group = new QActionGroup(m_menuButton->menu());
    for (int i = 0; i < static_cast<int>(names.size()); ++i) {
        auto* button = new QToolButton(m_row);
        button->setText(names[i]);
        button->setCheckable(true);
        button->setAutoRaise(true);
        button->setFocusPolicy(Qt::TabFocus);
        m_buttons->addButton(button, i);
        m_row->layout()->addWidget(button);
        QAction* action = m_menuButton->menu()->addAction(names[i]);
        action->setCheckable(true);
        group->addAction(action);
        connect(action, &QAction::triggered, this, [this, i] { pick(i); });
    }
    arrange();
}

void ViewSwitch::setCurrent(int index) {
    m_current = index;
    arrange();
}

void ViewSwitch::setNarrow(bool narrow) {
    if (narrow == m_narrow) return;
    m_narrow = narrow;
    arrange();
}

int ViewSwitch::wideWidth() const {
    return m_row->sizeHint().width();
}

int ViewSwitch::narrowWidth() const {
    // The widest name decides, so that the header does not shift with the view.
    int widest = 0;
    for (const QString& name : m_names)
        widest = std::max(widest, fontMetrics().horizontalAdvance(name));
    return widest + fontMetrics().horizontalAdvance(QStringLiteral(" ▾")) + 10;
}

QSize ViewSwitch::sizeHint() const {
    return {m_narrow ? narrowWidth() : wideWidth(), m_row->sizeHint().height()};
}

QSize ViewSwitch::minimumSizeHint() const {
    return {std::min(narrowWidth(), wideWidth()), m_row->sizeHint().height()};
}

void ViewSwitch::pick(int index) {
    m_current = index;
    arrange();
    Q_EMIT picked(index);
}

void ViewSwitch::arrange() {
    if (m_names.isEmpty()) return;
    m_buttons->button(m_current)->setChecked(true);
    m_menuButton->menu()->actions().at(m_current)->setChecked(true);
    m_menuButton->setText(m_names[m_current] + QStringLiteral(" ▾"));
    m_row->setVisible(!m_narrow);
    m_menuButton->setVisible(m_narrow);
    m_row->setGeometry(rect());
    m_menuButton->setGeometry(rect());
    updateGeometry();
}

void ViewSwitch::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange) updateGeometry();
}

void ViewSwitch::resizeEvent(QResizeEvent*) {
    m_row->setGeometry(rect());
    m_menuButton->setGeometry(rect());
}

} // namespace fkv::viz
