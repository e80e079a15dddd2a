// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/find_bar.h"

#include "viz/series/format.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

namespace fkv::viz {

FindBar::FindBar(QWidget* parent)
    : QWidget(parent), m_needle(new QLineEdit(this)), m_count(new QLabel(this)) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(4, 2, 2, 2);
    row->setSpacing(2);
    m_needle->setPlaceholderText(tr("Find in the prompt"));
    m_needle->setAccessibleName(tr("Find in the prompt"));
    m_needle->setMinimumWidth(40);
    m_count->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    row->addWidget(m_needle, 1);
    row->addWidget(m_count);
    QToolButton* previous = addButton(QStringLiteral("▴"), tr("Previous (Shift+F3)"));
    QToolButton* next = addButton(QStringLiteral("▾"), tr("Next (F3)"));
    QToolButton* close = addButton(QStringLiteral("✕"), tr("Close (Esc)"));
    connect(m_needle, &QLineEdit::textChanged, this, &FindBar::needleChanged);
    connect(previous, &QToolButton::clicked, this, [this] { Q_EMIT stepped(-1); });
    connect(next, &QToolButton::clicked, this, [this] { Q_EMIT stepped(1); });
    connect(close, &QToolButton::clicked, this, &FindBar::closed);
}

QToolButton* FindBar::addButton(const QString& text, const QString& name) {
    auto* button = new QToolButton(this);
    button->setText(text);
    button->setToolTip(name);
    button->setAccessibleName(name);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    layout()->addWidget(button);
    return button;
}

QString FindBar::needle() const {
    return m_needle->text();
}

void FindBar::open() {
    show();
    m_needle->setFocus(Qt::ShortcutFocusReason);
    m_needle->selectAll();
}

void FindBar::setCount(std::int64_t current, std::int64_t hits, bool more) {
    if (needle().isEmpty())
        m_count->clear();
    else if (hits == 0)
        m_count->setText(tr("none"));
    else
        m_count->setText(tr("%1 of %2")
                             .arg(formatCount(current + 1),
                                  formatCount(hits) + (more ? QStringLiteral("+") : QString())));
}

QString FindBar::countText() const {
    return m_count->text();
}

void FindBar::keyPressEvent(QKeyEvent* event) {
    const int by = event->modifiers().testFlag(Qt::ShiftModifier) ? -1 : 1;
    switch (event->key()) {
    case Qt::Key_Escape:
        Q_EMIT closed();
        return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_F3:
        Q_EMIT stepped(by);
        return;
    case Qt::Key_F: // Ctrl+F again takes up the old needle
        if (event->modifiers() == Qt::ControlModifier) m_needle->selectAll();
        return;
    default:
        break;
    }
    // What the field leaves must not reach the views as one of their keys; commands may.
    if (event->modifiers() & (Qt::ControlModifier | Qt::AltModifier))
        event->ignore();
    else
        event->accept();
}

} // namespace fkv::viz
