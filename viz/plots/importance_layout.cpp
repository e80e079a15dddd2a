// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_layout.h"

#include "viz/series/position_axis.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kGap = 4;
constexpr int kHandle = 9;
constexpr int kHandleGap = 2; ///< to the labels
constexpr int kLine = 3;
constexpr int kRibbon = 14;
constexpr int kMostRibbon = 24;
constexpr int kLost = 6;
constexpr int kTickMark = 3;
constexpr int kStrip = 12;
constexpr int kStripGap = 2;

} // namespace

ImportanceLayout::ImportanceLayout(const Inputs& in)
    : layers(in.layers), above(std::clamp(in.above, 0, in.layers)) {
    const auto scaled = [&in](int px) { return static_cast<int>(std::lround(px * in.scale)); };
    const int handle = scaled(kHandle);
    leftLabels = kGap;
    leftLabelWidth = in.leftWidth;
    plotLeft = leftLabels + in.leftWidth + kHandleGap + handle + 1;
    rightLabelWidth = in.rightWidth;
    rightLabels = in.size.width() - kGap - in.rightWidth;
    plotWidth =
        std::max(1, rightLabels - kHandleGap - handle - 1 - PositionAxis::kGutter - plotLeft);
    const int wide = plotWidth + PositionAxis::kGutter;

    const int marksHeight = std::max(scaled(10), in.textHeight);
    const int ticksHeight = in.textHeight + kTickMark;
    const int strip = scaled(kStrip) + kStripGap;
    const int lineHeight = scaled(kLine);
    int ribbonHeight = scaled(kRibbon);
    int lostHeight = scaled(kLost);
    const int free = in.size.height() - marksHeight - lineHeight - ribbonHeight - lostHeight -
                     ticksHeight - 2 * kGap;
    // The strip's room is kept free, so that zooming does not change the rows, unless they would
    // have to scroll for it.
    const int needed = kLeastRow * std::max(1, layers);
    const bool reserved = free - strip >= needed;
    const int forRows = free - (reserved || in.zoomed ? strip : 0);
    rowHeight = std::max(kLeastRow, forRows / std::max(1, layers));
    const int rest = std::max(0, forRows - rowHeight * layers);
    const int taller = std::min(rest, scaled(kMostRibbon - kRibbon));
    ribbonHeight += taller;
    lostHeight += rest - taller + (reserved && !in.zoomed ? strip : 0);

    const int content = rowHeight * layers + lineHeight + ribbonHeight;
    const int viewHeight =
        std::max(rowHeight, std::min(content, forRows + lineHeight + ribbonHeight));
    mostScroll = std::max(0, content - viewHeight);
    scroll = std::clamp(in.scroll, 0, mostScroll);
    marks = {plotLeft, 1, wide, marksHeight};
    rowsView = {plotLeft, marks.bottom() + 2, wide, viewHeight};
    const int lineTop = rowsView.top() + above * rowHeight - scroll;
    line = {plotLeft, lineTop, wide, lineHeight};
    ribbon = {plotLeft, lineTop + lineHeight, wide, ribbonHeight};
    lost = {plotLeft, rowsView.bottom() + 1 + kGap, wide, lostHeight};
    ticks = {plotLeft, lost.bottom() + 1, plotWidth, ticksHeight};
    if (in.zoomed)
        overview = {plotLeft, ticks.bottom() + 1 + kStripGap, plotWidth, strip - kStripGap};
    const int handleTop = line.center().y() - handle / 2;
    leftHandle = {plotLeft - handle - 1, handleTop, handle, handle};
    rightHandle = {plotLeft + wide + 1, handleTop, handle, handle};
}

QRect ImportanceLayout::row(int layer) const {
    const int parted = layer >= above ? line.height() + ribbon.height() : 0;
    return {plotLeft, rowsView.top() + layer * rowHeight + parted - scroll,
            plotWidth + PositionAxis::kGutter, rowHeight};
}

QRect ImportanceLayout::block(int first, int last) const {
    if (last <= first) return {};
    return row(first).united(row(last - 1));
}

int ImportanceLayout::layerAt(int y) const {
    if (layers == 0) return -1;
    const int inside = std::clamp(y, rowsView.top(), rowsView.bottom());
    if (inside >= line.top() && inside <= ribbon.bottom()) return -1;
    const int offset = inside < line.top() ? inside - rowsView.top() + scroll
                                           : inside - ribbon.bottom() - 1 + above * rowHeight;
    return std::clamp(offset / rowHeight, 0, layers - 1);
}

int ImportanceLayout::aboveForLineAt(int y) const {
    const double rows = static_cast<double>(y - rowsView.top() + scroll) / rowHeight;
    return std::clamp(static_cast<int>(std::lround(rows)), std::min(1, layers), layers);
}

int ImportanceLayout::scrollTo(int layer) const {
    QRect r = row(std::clamp(layer, 0, std::max(0, layers - 1)));
    if (layer + 1 == above) r = r.united(ribbon);
    if (r.top() < rowsView.top()) return scroll - (rowsView.top() - r.top());
    if (r.bottom() > rowsView.bottom()) return scroll + (r.bottom() - rowsView.bottom());
    return scroll;
}

} // namespace fkv::viz
