// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/layer_chart.h"
#include "viz/plots/timing_legend.h"
#include "viz/series/timing_bars.h"

namespace fkv::viz {

/// Milliseconds by layer and zone (VIEWS section 3, Timing 1 and 2): two bars a layer, full left,
/// FastKV right, with the legend and, on an axis of their own, the totals beside them.
class TimingLayersView : public LayerChart {
    Q_OBJECT
public:
    TimingLayersView(const ViewContext& context, QWidget* parent);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

    /// Bars of a layer in px: x from, and width of one bar. FastKV's stands right of full's.
    struct BarPlace {
        double fullLeft = 0.0, fastKvLeft = 0.0, width = 0.0;
    };
    BarPlace barPlace(int layer) const { return barPlace(layer, plot()); }
    ValueScale scale() const;
    const TimingBars& bars() const { return m_bars; }

protected:
    Margins margins(const QSizeF& size) const override;
    bool tspAtEdge() const override { return true; }
    void paintPicture(const ChartCanvas& canvas) const override;
    QString tipAt(const QPointF& at) const override;

private:
    /// What stands right of the plot, as wide as the view allows.
    struct Columns {
        double legend = 0.0, totals = 0.0;
        bool numbers = false, shortNames = false; ///< in the legend
    };
    TimingLegend legendOf(const Columns& columns) const;
    Columns columnsOf(const QSizeF& size) const;
    BarPlace barPlace(int layer, const QRectF& plot) const;
    ValueTicks ticks(double height) const;
    void paintBars(const ChartCanvas& canvas, const QRectF& plot) const;
    enum class Words { All, Fewer, Fewest };
    QString describe(Words words) const;
    QString describeLayer(int layer, Words words) const;
    QString describeTotals(Words words) const;

    trace::RunPtr m_run;
    trace::FatePtr m_fate;
    TimingBars m_bars;
    TimingTotals m_totals;
};

} // namespace fkv::viz
