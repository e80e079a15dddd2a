// SPDX-License-Identifier: GPL-3.0-or-later
// Gestures of the timeline; what it paints is in timing_timeline.cpp.
#include "viz/plots/timing_timeline.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>
#include <cmath>
#include <utility>

namespace fkv::viz {
namespace {

constexpr int kClickSlop = 4;
constexpr double kZoomOfNotch = 0.8;
constexpr double kNotch = 120.0;
constexpr double kReach = 2.0; ///< px beside a narrow block that still mean it

} // namespace

std::optional<TimelineView::Hit> TimelineView::hitAt(const QPointF& point) const {
    const QRectF lanes = lanesRect();
    for (int index = 0; index < static_cast<int>(m_timeline.lanes.size()); ++index) {
        const QRectF box = laneOf(index, lanes);
        if (!box.contains(point)) continue;
        const TimelineLane& lane = m_timeline.lanes[static_cast<std::size_t>(index)];
        const Row row = point.y() < rowOf(Row::Zones, box).top()      ? Row::Enclosing
                        : point.y() < rowOf(Row::Zones, box).bottom() ? Row::Zones
                                                                      : Row::Kernels;
        const double x = point.x() - lanes.left();
        std::optional<Hit> best;
        double nearest = kReach;
        for (const TimelineBlock& block : blocksOf(row, lane, lanes.width())) {
            const double away = std::max({0.0, block.x0 - x, x - block.x1});
            if (away > nearest || (best && away == nearest)) continue;
            nearest = away;
            best = Hit{index, block, row};
        }
        return best;
    }
    return std::nullopt;
}

void TimelineView::setHit(const std::optional<Hit>& hit) {
    m_hit = hit;
    Hover hover;
    if (hit && hit->block.count == 1) hover.layer = hitSpan(*hit).layer;
    context().selection.setHover(hover);
    update();
    Q_EMIT readoutChanged();
}

void TimelineView::wheelEvent(QWheelEvent* event) {
    event->accept();
    const QRectF lanes = lanesRect();
    if (m_timeline.all.size() == 0) return;
    const QPoint turn = event->angleDelta();
    if (std::abs(turn.x()) > std::abs(turn.y())) {
        const double perPx = static_cast<double>(m_visible.size()) / lanes.width();
        setVisibleTime(panTime(m_visible, m_timeline.all, std::llround(-turn.x() * perPx)));
    } else if (turn.y() != 0) {
        const std::int64_t anchor =
            xToTime(event->position().x() - lanes.left(), m_visible, lanes.width());
        setVisibleTime(
            zoomTime(m_visible, m_timeline.all, anchor, std::pow(kZoomOfNotch, turn.y() / kNotch)));
    }
    setHit(hitAt(event->position()));
}

void TimelineView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return ChartView::mousePressEvent(event);
    setFocus(Qt::MouseFocusReason);
    m_pressAt = event->pos();
    m_pressVisible = m_visible;
    m_gesture = Gesture::Pressed;
}

void TimelineView::mouseMoveEvent(QMouseEvent* event) {
    if (m_gesture == Gesture::None) return setHit(hitAt(event->position()));
    const QPoint moved = event->pos() - m_pressAt;
    if (m_gesture == Gesture::Pressed && moved.manhattanLength() > kClickSlop) {
        m_gesture = Gesture::Pan;
        setCursor(Qt::ClosedHandCursor);
    }
    if (m_gesture != Gesture::Pan) return;
    const double perPx = static_cast<double>(m_pressVisible.size()) / lanesRect().width();
    setVisibleTime(panTime(m_pressVisible, m_timeline.all, std::llround(-moved.x() * perPx)));
    Q_EMIT readoutChanged();
}

void TimelineView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return ChartView::mouseReleaseEvent(event);
    const Gesture gesture = std::exchange(m_gesture, Gesture::None);
    unsetCursor();
    if (gesture != Gesture::Pressed) return;
    const auto hit = hitAt(event->position());
    if (!hit || hit->block.count > 1) return;
    const int layer = hitSpan(*hit).layer;
    if (layer >= 0) context().selection.pinLayer(layer);
}

void TimelineView::mouseDoubleClickEvent(QMouseEvent* event) {
    // Only on the axis: on a lane the first click has pinned already.
    if (event->position().y() > lanesRect().bottom()) setVisibleTime(m_timeline.all);
    Q_EMIT readoutChanged();
}

void TimelineView::keyPressEvent(QKeyEvent* event) {
    const std::int64_t middle = m_visible.begin + m_visible.size() / 2;
    const bool plain =
        !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
    if (event->key() == Qt::Key_Escape && m_gesture == Gesture::Pan) {
        setVisibleTime(m_pressVisible);
        m_gesture = Gesture::None;
        unsetCursor();
    } else if (plain && (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Equal)) {
        setVisibleTime(zoomTime(m_visible, m_timeline.all, middle, 0.5));
    } else if (plain && event->key() == Qt::Key_Minus) {
        setVisibleTime(zoomTime(m_visible, m_timeline.all, middle, 2.0));
    } else if (plain && (event->key() == Qt::Key_0 || event->key() == Qt::Key_Home)) {
        setVisibleTime(m_timeline.all);
    } else {
        return ChartView::keyPressEvent(event);
    }
    Q_EMIT readoutChanged();
}

void TimelineView::leaveEvent(QEvent* event) {
    if (m_gesture == Gesture::None) setHit(std::nullopt);
    ChartView::leaveEvent(event);
}

} // namespace fkv::viz
