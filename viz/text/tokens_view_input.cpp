// SPDX-License-Identifier: GPL-3.0-or-later
// Mouse and keys of the token text.
#include "viz/text/choice_bar.h"
#include "viz/text/token_map.h"
#include "viz/text/tokens_view.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kClickSlop = 4;
constexpr int kAutoScrollMs = 30;
constexpr int kLongestName = 24;
constexpr double kNotch = 120.0;
constexpr double kTypeOfNotch = 1.1;

} // namespace

QPoint TokensView::toPage(const QPoint& viewport) const {
    return {viewport.x(), viewport.y() + static_cast<int>(top())};
}

TokenRange TokensView::tokensAt(const QPoint& at, bool nearest) const {
    const QPoint page = toPage(at);
    return m_page.tokensAt(page.x(), page.y(), nearest);
}

bool TokensView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::Leave && m_gesture == Gesture::None)
        m_context.selection.clearHover();
    return QAbstractScrollArea::viewportEvent(event);
}

void TokensView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return event->ignore();
    m_pressAt = m_lastAt = event->pos();
    m_pressTokens = tokensAt(event->pos(), true);
    m_gesture = Gesture::Pressed;
    m_choiceBar->hide();
}

void TokensView::mouseMoveEvent(QMouseEvent* event) {
    m_lastAt = event->pos();
    if (m_gesture == Gesture::None) {
        const TokenRange box = tokensAt(event->pos(), false);
        if (box.size() == 0) return m_context.selection.clearHover();
        m_context.selection.setHover(
            {box.begin, {}, m_context.layer(), m_context.selection.pinnedHead()});
        return;
    }
    if (m_gesture == Gesture::Pressed &&
        (event->pos() - m_pressAt).manhattanLength() > kClickSlop && m_pressTokens.size() > 0) {
        m_gesture = Gesture::Choosing;
        m_autoScroll.start(kAutoScrollMs, this);
    }
    if (m_gesture == Gesture::Choosing) dragTo(event->pos());
}

void TokensView::dragTo(const QPoint& at) {
    const TokenRange now = tokensAt(at, true);
    if (now.size() == 0) return;
    choose({std::min(m_pressTokens.begin, now.begin), std::max(m_pressTokens.end, now.end)});
}

void TokensView::timerEvent(QTimerEvent* event) {
    if (event->timerId() != m_autoScroll.timerId()) return QAbstractScrollArea::timerEvent(event);
    const int above = -m_lastAt.y(), below = m_lastAt.y() - viewport()->height();
    const int beyond = std::max(above, below);
    if (m_gesture != Gesture::Choosing || beyond <= 0) return;
    scrollBy(above > 0 ? -beyond : beyond);
    dragTo(m_lastAt);
}

void TokensView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return event->ignore();
    const Gesture gesture = std::exchange(m_gesture, Gesture::None);
    m_autoScroll.stop();
    if (gesture == Gesture::Choosing) return showChoiceBar(event->pos());
    if (gesture != Gesture::Pressed) return;
    choose({});
    const TokenRange box = tokensAt(event->pos(), false);
    if (box.size() > 0)
        m_context.selection.pinToken(box.begin, event->modifiers().testFlag(Qt::ShiftModifier));
}

void TokensView::mouseDoubleClickEvent(QMouseEvent* event) {
    // The second click of a double click: the first has pinned already.
    event->accept();
}

void TokensView::showChoiceBar(const QPoint& near) {
    if (m_chosen.size() == 0) return;
    const auto& marks = m_context.selection.marks();
    const auto spans =
        std::count_if(marks.begin(), marks.end(), [](const Mark& m) { return m.span; });
    m_choiceBar->setCanTrack(spans < Selection::kMostMarks);
    const int up = static_cast<int>(-top());
    const QRect first = m_page.rectOf(m_chosen.begin).translated(0, up);
    const QRect last = m_page.rectOf(m_chosen.end - 1).translated(0, up);
    m_choiceBar->showNear(near, first.united(last));
}

void TokensView::wheelEvent(QWheelEvent* event) {
    const int turn = event->angleDelta().y();
    if (event->modifiers().testFlag(Qt::ControlModifier)) {
        setTypeScale(m_typeScale * std::pow(kTypeOfNotch, turn / kNotch));
        return event->accept();
    }
    const int px = event->pixelDelta().y();
    constexpr int kLinesOfNotch = 3;
    scrollBy(px != 0 ? -px : -std::lround(turn / kNotch * kLinesOfNotch * m_page.lineHeight()));
    event->accept();
}

void TokensView::scrollBy(std::int64_t px) {
    verticalScrollBar()->setValue(static_cast<int>(top() + px));
}

bool TokensView::scrollKey(const QKeyEvent& event) {
    const bool control = event.modifiers() == Qt::ControlModifier;
    const bool shift = event.modifiers() == Qt::ShiftModifier;
    const int page = verticalScrollBar()->pageStep();
    // Without Ctrl these keys move tokens and layers, as in every view.
    switch (event.key()) {
    case Qt::Key_Space:
        if (control) return false;
        scrollBy(shift ? -page : page);
        return true;
    case Qt::Key_Home:
        if (control) scrollToLine(0);
        return control;
    case Qt::Key_End:
        if (control) scrollToLine(m_page.lines());
        return control;
    case Qt::Key_Up:
        if (control) scrollBy(-m_page.lineHeight());
        return control;
    case Qt::Key_Down:
        if (control) scrollBy(m_page.lineHeight());
        return control;
    case Qt::Key_PageUp:
        if (control) scrollBy(-page);
        return control;
    case Qt::Key_PageDown:
        if (control) scrollBy(page);
        return control;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        if (control) setTypeScale(m_typeScale * kTypeOfNotch);
        return control;
    case Qt::Key_Minus:
        if (control) setTypeScale(m_typeScale / kTypeOfNotch);
        return control;
    case Qt::Key_0:
        if (control) setTypeScale(1.0);
        return control;
    default:
        return false;
    }
}

void TokensView::keyPressEvent(QKeyEvent* event) {
    const bool chosen = m_chosen.size() > 0;
    if (event->key() == Qt::Key_Escape && (chosen || m_gesture == Gesture::Choosing)) {
        m_gesture = Gesture::None;
        m_autoScroll.stop();
        return choose({});
    }
    if (chosen && event->key() == Qt::Key_P && event->modifiers() == Qt::NoModifier)
        return trackChosen();
    if (event->matches(QKeySequence::Copy)) return copy(false);
    if (scrollKey(*event)) return;
    event->ignore(); // the panel knows the keys of all views
}

void TokensView::trackChosen() {
    if (!m_text || m_chosen.size() == 0) return;
    QString name = QString::fromStdString(m_text->text(m_chosen)).simplified();
    if (name.size() > kLongestName) name = name.left(kLongestName - 1).trimmed() + u'…';
    if (m_context.selection.addSpan(m_chosen, name) != 0) choose({});
}

void TokensView::copy(bool ids) {
    if (!m_text) return;
    const std::int64_t hovered = m_context.selection.hover().token;
    TokenRange tokens = m_chosen;
    if (tokens.size() == 0 && hovered >= 0) tokens = {hovered, hovered + 1};
    if (tokens.size() == 0) return;
    QString text;
    if (ids) {
        QStringList numbers;
        for (std::int64_t i = tokens.begin; i < tokens.end; ++i)
            numbers << QString::number(m_text->prompt().ids[static_cast<std::size_t>(i)]);
        text = u'[' + numbers.join(QStringLiteral(", ")) + u']'; // what --ids-file reads
    } else {
        text = QString::fromStdString(m_text->text(tokens));
    }
    QGuiApplication::clipboard()->setText(text);
}

void TokensView::contextMenuEvent(QContextMenuEvent* event) {
    if (!m_text) return;
    Selection& selection = m_context.selection;
    const bool byMouse = event->reason() == QContextMenuEvent::Mouse;
    TokenRange box = byMouse ? tokensAt(event->pos(), false) : TokenRange{};
    if (!byMouse && selection.hover().token >= 0) box = m_text->box(selection.hover().token);
    QMenu menu(this);
    if (box.size() > 0) {
        menu.addAction(tr("Pin token"), this, [&, box] { selection.pinToken(box.begin, true); });
        for (const Mark& mark : selection.marks()) {
            if (!mark.tokens.has(box.begin)) continue;
            const QString name = mark.name.isEmpty()
                                     ? QString::number(mark.number)
                                     : QStringLiteral("%1 %2").arg(mark.number).arg(mark.name);
            menu.addAction(
                mark.span ? tr("Stop tracking %1").arg(name) : tr("Remove pin %1").arg(name), this,
                [&selection, number = mark.number] { selection.removeMark(number); });
        }
        menu.addSeparator();
    }
    menu.addAction(tr("Find…\tCtrl+F"), this, &TokensView::findRequested);
    QAction* strike = menu.addAction(tr("Strike all dropped tokens"));
    strike->setCheckable(true);
    strike->setChecked(m_context.options.strikeAllDropped());
    connect(strike, &QAction::toggled, &m_context.options, &ViewOptions::setStrikeAllDropped);
    menu.exec(event->globalPos());
}

} // namespace fkv::viz
