// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/timing_bars.h"

#include <optional>

namespace fkv::viz {

QString zoneGroupName(trace::ZoneGroup group); ///< as the window says it, translated
QString passName(trace::PassKind pass);

/// What the legend says, and how much of it.
struct TimingLegend {
    const TimingBars& bars;
    std::optional<double> captureMs;
    bool numbers = true; ///< the milliseconds of both passes
    bool shortNames = false;
};
/// Colour, name and milliseconds of every zone group, the rows in the order of the stacks, top
/// first. Rows that do not fit are left out from the outside: head, capture.
double timingLegendWidth(const QFont& font, const TimingLegend& legend);
void paintTimingLegend(const ChartCanvas& canvas, const QRectF& area, const TimingLegend& legend);

} // namespace fkv::viz
