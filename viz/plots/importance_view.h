// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/importance_image.h"
#include "viz/plots/importance_layout.h"
#include "viz/plots/position_view.h"

#include <QPixmap>

class QScrollBar;

namespace fkv::viz {

/// The importance map itself. Besides the gestures of every position view: drag the TSP line to
/// move the TSP layer, click a layer's name to pin it, click the lost lane to pin what TSP loses
/// there, drag the frame of the overview strip. Everything but the cross-hair is painted once and
/// kept.
class ImportanceView : public PositionView {
    Q_OBJECT
public:
    explicit ImportanceView(const ViewContext& context, QWidget* parent = nullptr);

    QRect plotRect() const override;
    QSize sizeHint() const override { return {600, 176}; }
    QSize minimumSizeHint() const override;

    ImportanceLayout layoutNow() const;
    /// Up to date with what is on show; empty without a run.
    ImportanceImage& image() const;
    /// Times the kept picture was painted anew, for tests.
    int repaints() const { return m_repaints; }
    /// The figure without cross-hair, in any size.
    void paintFigure(QPainter& painter, const QSize& size) const;

Q_SIGNALS:
    void resized();

protected:
    Hover hitTest(const QPoint& point) const override;
    bool onAxis(const QPoint& point) const override;
    bool pressed(const QPoint& point) override;
    void dragged(const QPoint& point) override;
    void released(const QPoint& point) override;
    void dragCancelled() override;

    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    enum class Drag { None, TspLine, Overview };

    void setupFollowing();
    void setupScrollBar();
    void stale();
    void syncScrollBar();
    void showPinnedLayer();
    bool hasMap() const { return context().shown.run() && context().shown.fate(); }
    bool onLine(const QPoint& point) const;
    Hover hitRow(const QPoint& point, int layer) const;
    void moveLine(const QPoint& point);
    void moveOverview(const QPoint& point);

    mutable ImportanceImage m_image; ///< a cache: image() brings it up to date
    QPixmap m_picture;               ///< all but the cross-hair, in device px
    mutable bool m_stale = true;     ///< m_picture no longer shows m_image
    int m_repaints = 0;
    int m_scroll = 0;
    QScrollBar* m_scrollBar = nullptr;
    Drag m_drag = Drag::None;
    QPoint m_grabbed; ///< from the line, or from the frame's left edge, to the press
    TokenRange m_rangeBefore;
    trace::Amount m_lastRate = trace::Amount::ofRate(0.2); ///< under which TSP was last on
};

} // namespace fkv::viz
