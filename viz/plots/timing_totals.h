// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/timing_bars.h"

namespace fkv::viz {

/// The small plot of prefill totals with an axis of its own: full with capture as a hatched part
/// beside it, FastKV, and what was measured standalone with median and whisker; the speedup and, as
/// a bracket on FastKV's bar, the least time that the work really done allows. Where the device's
/// peak was measured, a line on every bar says what it would take at that.
void paintTimingTotals(const ChartCanvas& canvas, const QRectF& area, const TimingTotals& totals);

/// The marks of bounds, here and wherever else bars have them.
void paintBracket(const ChartCanvas& canvas, double x, const QRectF& bar);
void paintFloor(const ChartCanvas& canvas, double x, const QRectF& bar);
/// A sample of each mark that is used, with its name.
struct BoundMarks {
    bool bracket = false, floor = false;
};
void paintBoundLegend(const ChartCanvas& canvas, const QRectF& line, const BoundMarks& marks);
/// How bounds are computed, in words.
QString boundTip(const std::optional<trace::DevicePeaks>& peaks);

} // namespace fkv::viz
