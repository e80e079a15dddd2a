// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/position_axis.h"
#include "viz/state/view_context.h"

#include <QPoint>
#include <QRect>
#include <QWidget>
#include <optional>

namespace fkv::viz {

/// A self-painted view over prompt positions: the gestures of VIEWS section 1, written once. Wheel
/// zooms at the cursor, drag pans, Shift+drag zooms to a range, click pins, Shift+click adds a pin,
/// double click on the axis fits. 4 px tell a click from a drag; Esc during a drag puts the old range
/// back. Subclasses say where the plot is and what lies under a point.
class PositionView : public QWidget {
    Q_OBJECT
public:
    explicit PositionView(const ViewContext& context, QWidget* parent = nullptr);

    /// Plot in widget coordinates: scored tokens only; the gutter follows at its right.
    virtual QRect plotRect() const = 0;
    PositionAxis axis() const;

protected:
    const ViewContext& context() const { return m_context; }
    const Palette& colours() const { return m_context.theme.palette(); }

    /// What is under a point of the widget; token -1 when nothing is.
    virtual Hover hitTest(const QPoint& point) const = 0;
    /// A click that was no drag. The default pins the token, and the layer and head if the hit has one.
    virtual void clicked(const Hover& hit, Qt::KeyboardModifiers modifiers);
    /// True where a double click fits and a drag pans, but nothing is pinned.
    virtual bool onAxis(const QPoint&) const { return false; }
    /// A press that the subclass takes for itself (a line it lets the user drag).
    virtual bool pressed(const QPoint&) { return false; }
    virtual void dragged(const QPoint&) {}
    virtual void released(const QPoint&) {}
    virtual void dragCancelled() {}
    /// Range being chosen with Shift+drag, in px of the widget; to be drawn by the subclass.
    std::optional<std::pair<int, int>> rubberBand() const;

    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    enum class Gesture { None, Pressed, Pan, Zoom, Own };

    ViewContext m_context;
    Gesture m_gesture = Gesture::None;
    QPoint m_pressAt, m_moveAt;
    TokenRange m_pressRange;
};

}  // namespace fkv::viz
