// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/timing_figures.h"

#include <vector>

namespace fkv::viz {

struct EndLabel;

/// Milliseconds of every decode step over the generated tokens, full and FastKV, y from 0 (VIEWS
/// section 3, Timing 5), with a thin line at the median, and behind them, where the device's copy
/// rate was measured, a line at the least that the bytes of a step allow. What belongs to other
/// settings than shown is dimmed.
class DecodeView : public ChartView {
    Q_OBJECT
public:
    DecodeView(const ViewContext& context, QWidget* parent);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

    QRectF plot() const { return plotOf(QSizeF(size())); }
    QPointF pointOf(bool fastKv,
                    int token) const; ///< px; token counts from 0, the first has no step

protected:
    QRectF pictureKey() const override { return plot(); }
    void paintPicture(const ChartCanvas& canvas) const override;
    void paintOverlay(const ChartCanvas& canvas, bool interactive) const override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    QString tipAt(const QPointF& at) const override;

private:
    /// What a step, or the median, took on either side; words for a narrow panel when brief.
    QStringList stepParts(bool brief) const;
    QRectF plotOf(const QSizeF& size) const;
    ValueScale scale() const { return {0.0, m_most, false}; }
    double xOf(int token, const QRectF& plot) const;
    int tokens() const;
    std::vector<EndLabel> endLabels(const QRectF* plot) const;
    void paintFloor(const ChartCanvas& canvas, const QRectF& plot, bool fastKv) const;
    void paintPoints(const ChartCanvas& canvas, const QRectF& plot, bool fastKv) const;
    std::optional<double> floor(bool fastKv) const;
    const std::shared_ptr<const trace::Answer>& answer(bool fastKv) const {
        return fastKv ? m_fastKv : m_full;
    }
    QColor inkOf(bool fastKv) const;
    void setHovered(int token);

    std::shared_ptr<const trace::Answer> m_full, m_fastKv;
    DecodeFloors m_floors;
    double m_bytesPerSecond = 0.0; ///< the copy rate that the floors are of
    QString m_settings;  ///< of m_fastKv while it is pending, else empty
    double m_most = 1.0; ///< ms at the top
    int m_hovered = -1;
};

} // namespace fkv::viz
