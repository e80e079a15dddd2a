// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/heads_picture.h"
#include "viz/state/view_context.h"

#include <QPixmap>
#include <QWidget>

class QScrollBar;

namespace fkv::viz {

/// Layers x KV heads. The picture is painted once and kept; what is pointed at and pinned lies over
/// it. Pointing names layer and head (in a strip also the best token of the bin), a click pins
/// them, the TSP line can be dragged. Rows of fewer than 3 px scroll.
class HeadsGrid : public QWidget {
    Q_OBJECT
public:
    HeadsGrid(const ViewContext& context, HeadsModel& model, QWidget* parent = nullptr);

    void setView(HeadsView view);
    HeadsView view() const { return m_view; }
    HeadsView drawnView() const; ///< see HeadsPicture::drawn
    HeadsLayout layoutNow() const { return layoutFor(size()); }
    /// Tokens of the strip's bin under a point; empty outside of strips.
    TokenRange binAt(const QPoint& point) const;
    int picturesPainted() const { return m_pictures; }

    /// Paints the figure, with pins, into `size` px at the painter's origin.
    void paintInto(QPainter& painter, const QSize& size);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    HeadsPicture picture() const;
    HeadsLayout layoutFor(const QSize& size) const;
    void forget();
    void arrangeScrollBar();
    void paintMarks(QPainter& painter, const HeadsLayout& layout) const;
    void paintPins(QPainter& painter, const HeadsLayout& layout) const;
    void paintHovered(QPainter& painter, const HeadsLayout& layout) const;
    PixelRange pixelsInStrip(TokenRange tokens, const HeadsLayout& layout) const;
    bool onTspLine(const QPoint& point) const;
    void dragTspLine(const QPoint& point);

    ViewContext m_context;
    HeadsModel& m_model;
    HeadsView m_view = HeadsView::Where;
    QScrollBar* m_scroll = nullptr;
    QPixmap m_base;
    int m_pictures = 0;
    QPoint m_pressAt;
    bool m_pressed = false;
    bool m_draggingLine = false;
};

} // namespace fkv::viz
