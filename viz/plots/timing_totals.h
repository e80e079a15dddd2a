// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/timing_bars.h"

namespace fkv::viz {

/// The small plot of prefill totals with an axis of its own: full with capture as a hatched part
/// beside it, FastKV, and what was measured standalone with median and whisker; the speedup and, as
/// a bracket on FastKV's bar, the least time that the work really done allows.
void paintTimingTotals(const ChartCanvas& canvas, const QRectF& area, const TimingTotals& totals);

} // namespace fkv::viz
