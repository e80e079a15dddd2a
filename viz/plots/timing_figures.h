// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/timing_figures.h"

namespace fkv::viz {

/// The figures of a benchmark as a table: prefill, selection, decoding, KV and peak memory of both
/// passes, their ratio, and what bounds it. Beside the numbers two bars a row, full over FastKV,
/// with the bound behind them: a bracket for the work really done, a line for the device's measured
/// peak.
class TimingFiguresView : public ChartView {
    Q_OBJECT
public:
    TimingFiguresView(const ViewContext& context, QWidget* parent);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

    const std::vector<TimingFigure>& figures() const { return m_figures; }

protected:
    void paintPicture(const ChartCanvas& canvas) const override;
    QString tipAt(const QPointF& at) const override;

private:
    struct Row;
    struct Columns;
    std::vector<Row> rows() const;
    Columns columnsOf(const ChartCanvas& canvas, const std::vector<Row>& rows) const;
    void paintHeader(const ChartCanvas& canvas, const Columns& columns, double line) const;
    void paintBars(const ChartCanvas& canvas, const QRectF& band, const TimingFigure& figure) const;
    QString noteOf(const TimingFigure& figure, bool brief) const;

    std::vector<TimingFigure> m_figures;
    std::optional<trace::DevicePeaks> m_peaks;
    bool m_clocksLimited = false;
    QString m_settings; ///< of what is pending, else empty
};

} // namespace fkv::viz
