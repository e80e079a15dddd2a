// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/text_field.h"

#include "app/pages/choice_button.h"

#include <QKeyEvent>

namespace fkv::app {

TextField::TextField(const viz::Theme& theme, const QString& name, QWidget* parent)
    : QLineEdit(parent), m_theme(theme) {
    setAccessibleName(name);
    setPlaceholderText(name);
    connect(&theme, &viz::Theme::changed, this, [this] { updateGeometry(); });
}

QSize TextField::sizeHint() const {
    return {QLineEdit::sizeHint().width(), fontMetrics().height() + m_theme.scaled(6)};
}

QSize TextField::minimumSizeHint() const {
    return {m_theme.scaled(40), sizeHint().height()};
}

void TextField::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        event->ignore();
    else
        QLineEdit::keyPressEvent(event);
}

void TextField::paintEvent(QPaintEvent* event) {
    QLineEdit::paintEvent(event);
    paintFieldFrame(*this, m_theme, false);
}

} // namespace fkv::app
