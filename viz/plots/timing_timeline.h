// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/timeline_rows.h"

#include <QPoint>
#include <optional>

namespace fkv::viz {

/// Every timed stretch along the run's clock (VIEWS section 3, Timing 4): a lane for each pass and
/// stream, zones in the colours of the bars, what is narrower than a pixel folded and counted. The
/// time axis is its own: wheel zooms at the cursor, drag pans, double click on the axis or 0 fits.
/// A click pins the layer of the span under it.
class TimelineView : public ChartView {
    Q_OBJECT
public:
    TimelineView(const ViewContext& context, QWidget* parent);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

    const Timeline& timeline() const { return m_timeline; }
    TimeRange visible() const { return m_visible; }
    void setVisibleTime(const TimeRange& range);
    QRectF lanesRect() const { return lanesOf(QSizeF(size())); }
    QRectF laneRect(int lane) const { return laneOf(lane, lanesRect()); }

protected:
    void paintPicture(const ChartCanvas& canvas) const override;
    void paintOverlay(const ChartCanvas& canvas, bool interactive) const override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    enum class Gesture { None, Pressed, Pan };
    enum class Row { Enclosing, Zones, Kernels }; ///< of a lane, from its top
    struct Hit {
        int lane = -1;
        TimelineBlock block;
        Row row = Row::Zones;
    };
    QRectF lanesOf(const QSizeF& size) const;
    QRectF laneOf(int lane, const QRectF& lanes) const;
    QRectF rowOf(Row row, const QRectF& lane) const;
    std::vector<TimelineBlock> blocksOf(Row row, const TimelineLane& lane, double width) const;
    /// The span under the mouse, or what stands for a kernel.
    const trace::Span& hitSpan(const Hit& hit) const;
    std::optional<Hit> hitAt(const QPointF& point) const;
    void setHit(const std::optional<Hit>& hit);
    void paintLane(const ChartCanvas& canvas, const QRectF& lanes, int lane) const;
    void paintEnclosing(const ChartCanvas& canvas, const QRectF& row,
                        const TimelineLane& lane) const;
    void paintBlock(const ChartCanvas& canvas, const QRectF& box, const TimelineBlock& block) const;
    void paintKernel(const ChartCanvas& canvas, const QRectF& box,
                     const TimelineBlock& block) const;
    QString kernelName(std::uint32_t kernel) const;
    QString describeHit(const Hit& hit) const;
    QString describeKernels() const; ///< how many there are, or why none
    void paintTimeAxis(const ChartCanvas& canvas, const QRectF& lanes) const;
    void paintLayer(const ChartCanvas& canvas, const QRectF& lanes, int layer,
                    const QColor& ink) const;
    const std::vector<trace::Span>& spans() const;
    QString laneName(const TimelineLane& lane) const;

    trace::RunPtr m_run;
    Timeline m_timeline;
    TimeRange m_visible;
    std::optional<Hit> m_hit;
    Gesture m_gesture = Gesture::None;
    QPoint m_pressAt;
    TimeRange m_pressVisible;
};

} // namespace fkv::viz
