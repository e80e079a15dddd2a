// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/position_view.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kClickSlop = 4;
constexpr double kZoomOfNotch = 0.8;
constexpr double kNotch = 120.0;

}  // namespace

PositionView::PositionView(const ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
}

PositionAxis PositionView::axis() const {
    return {m_context.selection.scored(), m_context.selection.range(), plotRect().width()};
}

void PositionView::clicked(const Hover& hit, Qt::KeyboardModifiers modifiers) {
    if (hit.token >= 0) m_context.selection.pinToken(hit.token, modifiers.testFlag(Qt::ShiftModifier));
    if (hit.layer < 0) return;
    if (hit.head >= 0)
        m_context.selection.pinHead(hit.layer, hit.head);
    else
        m_context.selection.pinLayer(hit.layer);
}

std::optional<std::pair<int, int>> PositionView::rubberBand() const {
    if (m_gesture != Gesture::Zoom) return std::nullopt;
    return std::minmax(m_pressAt.x(), m_moveAt.x());
}

void PositionView::wheelEvent(QWheelEvent* event) {
    const QRect plot = plotRect();
    if (!m_context.shown.run() || plot.width() <= 0) return;
    // A touchpad sends pixels in both directions: sideways pans, up and down zooms.
    const QPoint turn = event->angleDelta();
    if (std::abs(turn.x()) > std::abs(turn.y())) {
        const double perPixel = static_cast<double>(m_context.selection.range().size()) / plot.width();
        m_context.selection.pan(static_cast<std::int64_t>(std::lround(-turn.x() * perPixel)));
    } else if (turn.y() != 0) {
        const PositionAxis a = axis();
        const double anchor = static_cast<double>(a.visible().begin) +
                              (event->position().x() - plot.left()) *
                                  static_cast<double>(a.visible().size()) / plot.width();
        m_context.selection.zoom(anchor, std::pow(kZoomOfNotch, turn.y() / kNotch));
    }
    event->accept();
}

void PositionView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return QWidget::mousePressEvent(event);
    setFocus(Qt::MouseFocusReason);
    m_pressAt = m_moveAt = event->pos();
    m_pressRange = m_context.selection.range();
    m_gesture = pressed(event->pos()) ? Gesture::Own : Gesture::Pressed;
}

void PositionView::mouseMoveEvent(QMouseEvent* event) {
    m_moveAt = event->pos();
    if (m_gesture == Gesture::None) {
        m_context.selection.setHover(hitTest(event->pos()));
        return;
    }
    if (m_gesture == Gesture::Own) return dragged(event->pos());
    const QPoint moved = event->pos() - m_pressAt;
    if (m_gesture == Gesture::Pressed && moved.manhattanLength() > kClickSlop) {
        m_gesture = event->modifiers().testFlag(Qt::ShiftModifier) ? Gesture::Zoom : Gesture::Pan;
        setCursor(m_gesture == Gesture::Pan ? Qt::ClosedHandCursor : Qt::SplitHCursor);
    }
    if (m_gesture == Gesture::Pan) {
        const double perPixel = static_cast<double>(m_pressRange.size()) / std::max(1, plotRect().width());
        m_context.selection.setRange(panRange(m_pressRange, m_context.selection.scored(),
                                              std::llround(-moved.x() * perPixel)));
    } else if (m_gesture == Gesture::Zoom) {
        update();
    }
}

void PositionView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return QWidget::mouseReleaseEvent(event);
    const Gesture gesture = m_gesture;
    const auto band = rubberBand();
    m_gesture = Gesture::None;
    unsetCursor();
    if (gesture == Gesture::Own) return released(event->pos());
    if (gesture == Gesture::Zoom && band) {
        const PositionAxis a = axis();
        const int left = plotRect().left();
        m_context.selection.setRange({a.tokenAt(band->first - left), a.tokenAt(band->second - left) + 1});
        update();
    } else if (gesture == Gesture::Pressed && !onAxis(event->pos())) {
        clicked(hitTest(event->pos()), event->modifiers());
    }
}

void PositionView::mouseDoubleClickEvent(QMouseEvent* event) {
    // On data the first click has pinned already; a second one must not undo the zoom.
    if (onAxis(event->pos()))
        m_context.selection.fit();
    else if (event->button() == Qt::LeftButton && pressed(event->pos()))
        m_gesture = Gesture::Own;  // the second of two quick presses on a line takes it like the first
}

void PositionView::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && m_gesture != Gesture::None) {
        if (m_gesture == Gesture::Own)
            dragCancelled();
        else
            m_context.selection.setRange(m_pressRange);
        m_gesture = Gesture::None;
        unsetCursor();
        update();
        return;
    }
    QWidget::keyPressEvent(event);
}

void PositionView::leaveEvent(QEvent* event) {
    if (m_gesture == Gesture::None) m_context.selection.clearHover();
    QWidget::leaveEvent(event);
}

}  // namespace fkv::viz
