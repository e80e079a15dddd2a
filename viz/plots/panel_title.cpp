// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/panel_title.h"

#include <QPainter>

namespace fkv::viz {
namespace {

constexpr int kGap = 8;
// Less than this of a note or a question says nothing.
constexpr int kLeastNote = 6;
constexpr int kLeastQuestion = 12;

} // namespace

PanelTitle::PanelTitle(QWidget* parent) : QWidget(parent) {
    // It takes what the switch and the buttons leave.
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
}

void PanelTitle::setTitle(const QString& title, const QString& question) {
    m_title = title;
    m_question = question;
    updateGeometry();
    update();
}

void PanelTitle::setNote(const QString& note, const QString& brief) {
    if (note == m_note && brief == m_brief) return;
    m_note = note;
    m_brief = brief;
    updateGeometry();
    update();
}

void PanelTitle::setFonts(const QFont& title, const QFont& note) {
    setFont(title);
    setMinimumWidth(minimumSizeHint().width());
    m_noteFont = note;
    m_noteFont.setBold(false); // said outright, or the painter takes the weight of the title
    updateGeometry();
    update();
}

void PanelTitle::setColors(const QColor& title, const QColor& others) {
    m_ink = title;
    m_otherInk = others;
    update();
}

int PanelTitle::titleWidth() const {
    return fontMetrics().horizontalAdvance(m_title) + 2;
}

QSize PanelTitle::sizeHint() const {
    const QFontMetrics note(m_noteFont);
    return {titleWidth() + 2 * kGap + note.horizontalAdvance(m_question) +
                note.horizontalAdvance(m_note),
            fontMetrics().height() + 2};
}

QSize PanelTitle::minimumSizeHint() const {
    return {titleWidth(), fontMetrics().height() + 2};
}

void PanelTitle::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    constexpr auto kLine = Qt::AlignVCenter | Qt::AlignLeft | Qt::TextSingleLine;
    painter.setPen(m_ink);
    painter.drawText(rect(), kLine, fontMetrics().elidedText(m_title, Qt::ElideRight, width()));
    painter.setFont(m_noteFont);
    painter.setPen(m_otherInk);
    const QFontMetrics metrics(m_noteFont);
    const int least = metrics.averageCharWidth() * kLeastNote;
    int left = titleWidth() + kGap;
    int right = width();
    if (!m_note.isEmpty() && right - left >= least) {
        const bool fits = m_brief.isEmpty() || metrics.horizontalAdvance(m_note) <= right - left;
        const QString note =
            metrics.elidedText(fits ? m_note : m_brief, Qt::ElideRight, right - left);
        const int used = metrics.horizontalAdvance(note);
        painter.drawText(QRect(right - used, 0, used, height()), kLine, note);
        right -= used + kGap;
    }
    if (right - left >= metrics.averageCharWidth() * kLeastQuestion)
        painter.drawText(QRect(left, 0, right - left, height()), kLine,
                         metrics.elidedText(m_question, Qt::ElideRight, right - left));
}

} // namespace fkv::viz
