// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/choice_button.h"

#include <QPainter>

namespace fkv::app {

ChoiceButton::ChoiceButton(const viz::Theme& theme, const QString& text, QWidget* parent)
    : QToolButton(parent), m_theme(theme) {
    setText(text);
    setCheckable(true);
    setFocusPolicy(Qt::TabFocus);
}

QSize ChoiceButton::sizeHint() const {
    return {fontMetrics().horizontalAdvance(text()) + m_theme.scaled(14),
            fontMetrics().height() + m_theme.scaled(7)};
}

void ChoiceButton::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const viz::Palette& colours = m_theme.palette();
    const auto ink = [this, &colours](const QColor& color) {
        return isEnabled() ? color : viz::faded(color, colours.window, 0.45);
    };
    const QRect box = rect().adjusted(0, 0, -1, -1);
    const double tint = isChecked() ? 0.18 : underMouse() && isEnabled() ? 0.08 : 0.0;
    painter.setPen(hasFocus() ? colours.focus : ink(colours.border));
    painter.setBrush(
        tint > 0.0 ? viz::faded(isChecked() ? colours.fastkv : colours.text, colours.base, tint)
                   : colours.base);
    painter.drawRect(box);
    if (isChecked()) {
        const int bar = m_theme.scaled(2);
        painter.fillRect(QRect(1, height() - 1 - bar, width() - 2, bar), ink(colours.fastkv));
    }
    painter.setPen(ink(isChecked() ? colours.text : colours.mutedText));
    painter.drawText(box, Qt::AlignCenter | Qt::TextSingleLine, text());
}

void paintFieldFrame(QWidget& field, const viz::Theme& theme, bool faulty) {
    QPainter painter(&field);
    const viz::Palette& colours = theme.palette();
    const QColor color = faulty              ? colours.lost
                         : field.hasFocus()  ? colours.focus
                         : field.isEnabled() ? colours.border
                                             : viz::faded(colours.border, colours.window, 0.5);
    painter.setPen(QPen(color, faulty ? 2.0 : 1.0));
    painter.setBrush(Qt::NoBrush);
    const double inset = faulty ? 1.0 : 0.5;
    painter.drawRect(QRectF(field.rect()).adjusted(inset, inset, -inset, -inset));
}

} // namespace fkv::app
