// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/error_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

namespace fkv::app {

ErrorBar::ErrorBar(viz::Theme& theme, QWidget* parent)
    : QFrame(parent),
      m_theme(theme),
      m_message(new QLabel(this)),
      m_hint(new QLabel(this)),
      m_close(new QToolButton(this)) {
    setObjectName(QStringLiteral("errorBar"));
    setAccessibleName(tr("Error"));
    for (QLabel* label : {m_message, m_hint}) {
        label->setTextFormat(Qt::PlainText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setMinimumWidth(0);
    }
    m_close->setText(tr("Dismiss"));
    m_close->setObjectName(QStringLiteral("dismissError"));
    auto* texts = new QVBoxLayout;
    texts->setSpacing(0);
    texts->addWidget(m_message);
    texts->addWidget(m_hint);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 5, 6, 5);
    row->addLayout(texts, 1);
    row->addWidget(m_close, 0, Qt::AlignTop);
    connect(m_close, &QToolButton::clicked, this, &ErrorBar::dismiss);
    connect(&m_theme, &viz::Theme::changed, this, &ErrorBar::applyTheme);
    applyTheme();
    hide();
}

void ErrorBar::showFailure(const Failure& failure) {
    m_failure = failure;
    m_message->setText(failure.message);
    m_hint->setText(failure.hint);
    m_hint->setVisible(!failure.hint.isEmpty());
    setAccessibleDescription(failure.message + QLatin1Char(' ') + failure.hint);
    show();
}

void ErrorBar::dismiss() {
    if (isHidden()) return;
    hide();
    Q_EMIT dismissed();
}

Failure ErrorBar::failure() const {
    return isHidden() ? Failure() : m_failure;
}

void ErrorBar::paintEvent(QPaintEvent*) {
    // The edge carries the meaning too: never by the shade of the ground alone.
    QPainter(this).fillRect(0, 0, m_theme.scaled(5), height(), m_theme.palette().lost);
}

void ErrorBar::applyTheme() {
    const viz::Palette& colours = m_theme.palette();
    QPalette own = QPalette();
    const QColor ground = viz::faded(colours.lost, colours.window, 0.16);
    own.setColor(QPalette::Window, ground);
    own.setColor(QPalette::WindowText, colours.text);
    setPalette(own);
    setAutoFillBackground(true);
    QFont bold = m_theme.font();
    bold.setBold(true);
    m_message->setFont(bold);
    m_hint->setFont(m_theme.font());
    m_close->setFont(m_theme.font());
    update();
}

} // namespace fkv::app
