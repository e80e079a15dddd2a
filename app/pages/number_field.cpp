// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/number_field.h"

#include "app/pages/choice_button.h"

#include <QKeyEvent>
#include <QPainter>

namespace fkv::app {
namespace {

constexpr int kPad = 4;

} // namespace

NumberField::NumberField(const viz::Theme& theme, const QString& unit, QWidget* parent)
    : QLineEdit(parent), m_theme(theme), m_unit(unit) {
    setAlignment(Qt::AlignRight);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme, &viz::Theme::changed, this, &NumberField::applyTheme);
    applyTheme();
}

void NumberField::applyTheme() {
    setFont(m_theme.numberFont());
    const int unit =
        m_unit.isEmpty() ? 0 : QFontMetrics(m_theme.smallFont()).horizontalAdvance(m_unit) + kPad;
    setTextMargins(0, 0, unit, 0);
    updateGeometry();
    update();
}

void NumberField::setDigits(int digits) {
    m_digits = digits;
    updateGeometry();
}

QSize NumberField::sizeHint() const {
    const QMargins margins = textMargins();
    const int digits = fontMetrics().horizontalAdvance(QLatin1Char('0')) * m_digits;
    return {digits + margins.left() + margins.right() + m_theme.scaled(10),
            fontMetrics().height() + m_theme.scaled(6)};
}

QSize NumberField::minimumSizeHint() const {
    return sizeHint();
}

void NumberField::setShown(const QString& text) {
    m_shown = text;
    if (m_faulty || (hasFocus() && isModified())) return;
    if (text == this->text()) return;
    setText(text);
    // After a step or an undo the next key should replace the number, not grow it.
    if (hasFocus()) selectAll();
}

void NumberField::setFaulty(bool faulty) {
    if (faulty == m_faulty) return;
    m_faulty = faulty;
    if (!faulty && !(hasFocus() && isModified())) setText(m_shown);
    update();
}

void NumberField::setKept(bool kept) {
    if (kept == m_kept) return;
    m_kept = kept;
    update();
}

void NumberField::commit() {
    if (!isModified()) return;
    setModified(false);
    Q_EMIT committed(text());
    if (!m_faulty) setShown(m_shown); // the setting's own spelling
}

void NumberField::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (event->modifiers() & Qt::ControlModifier) break; // the window's Run
        commit();
        selectAll();
        return;
    case Qt::Key_Escape:
        setModified(false);
        m_faulty = false;
        setText(m_shown);
        update();
        Q_EMIT reverted();
        event->ignore();
        return;
    case Qt::Key_Up:
        Q_EMIT stepped(1);
        return;
    case Qt::Key_Down:
        Q_EMIT stepped(-1);
        return;
    case Qt::Key_PageUp:
        Q_EMIT stepped(10);
        return;
    case Qt::Key_PageDown:
        Q_EMIT stepped(-10);
        return;
    default:
        break;
    }
    QLineEdit::keyPressEvent(event);
}

void NumberField::focusOutEvent(QFocusEvent* event) {
    // A context menu takes the focus for a moment only.
    if (event->reason() != Qt::PopupFocusReason) commit();
    QLineEdit::focusOutEvent(event);
}

void NumberField::paintEvent(QPaintEvent* event) {
    QLineEdit::paintEvent(event);
    QPainter painter(this);
    const viz::Palette& colours = m_theme.palette();
    if (!m_unit.isEmpty()) {
        painter.setFont(m_theme.smallFont());
        painter.setPen(isEnabled() ? colours.mutedText
                                   : palette().color(QPalette::Disabled, QPalette::Text));
        painter.drawText(rect().adjusted(0, 0, -kPad - 1, 0), Qt::AlignRight | Qt::AlignVCenter,
                         m_unit);
    }
    painter.setRenderHint(QPainter::Antialiasing);
    if (m_kept && isEnabled()) {
        const double r = m_theme.scaled(2);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colours.text);
        painter.drawEllipse(QPointF(m_theme.scaled(6), height() / 2.0), r, r);
    }
    painter.end();
    paintFieldFrame(*this, m_theme, m_faulty);
}

} // namespace fkv::app
