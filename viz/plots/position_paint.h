// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/position_axis.h"
#include "viz/state/selection.h"
#include "viz/theme/palette.h"

#include <QFont>
#include <QRect>
#include <QString>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

class QPainter;

namespace fkv::viz {

// What every position view draws alike (VIEWS section 1). Layout is pure: pixels are relative to
// the left edge of the plot, and the width of a text comes from a function, so that it is tested
// without a window. Painters change nothing of the QPainter that they were given.

using TextWidth = std::function<int(const QString&)>;
TextWidth textWidthOf(const QFont& font);

/// Whatever is marked is at least this wide, at any zoom.
inline constexpr int kLeastMark = 3;

/// Pixels of a run of prompt tokens, at least kLeastMark wide; unlike on the axis, the tokens of
/// the window have theirs in the gutter, [width, width + kGutter). `tokens` is N. Empty when not
/// visible.
PixelRange markPixels(TokenRange run, const PositionAxis& axis, std::int64_t tokens);

/// A pin, tracked span or search hit as it is drawn.
struct MarkShape {
    enum class Kind { Hit, Span, Pin };
    Kind kind = Kind::Hit;
    PixelRange px;
    int number = 0;     ///< 1 to 8 picks the colour; 0 for a hit
    QString label;      ///< "2 fact", "2", or empty when there is no room
    PixelRange labelPx; ///< beside the mark, inside the lane, over no other label or mark
};
/// All visible marks: hits first, then spans, then pins, in the order they are to be drawn.
std::vector<MarkShape> layoutMarks(const Selection& selection, const PositionAxis& axis,
                                   const TextWidth& textWidth);
/// `lane` is as wide as plot and gutter.
void paintMarks(QPainter& painter, const QRect& lane, const std::vector<MarkShape>& marks,
                const Palette& colours, const QFont& font);

/// Position labels at round token indices; labels neither overlap nor leave the plot.
struct AxisTick {
    int x = 0;
    QString label;
    PixelRange labelPx;
};
std::vector<AxisTick> positionTicks(const PositionAxis& axis, const TextWidth& textWidth);
/// `row` lies under the plot and is as wide.
void paintTicks(QPainter& painter, const QRect& row, const std::vector<AxisTick>& ticks,
                const Palette& colours, const QFont& font);

/// Diagonal lines, one every `step` px, that continue from one rectangle into its neighbour.
void paintHatch(QPainter& painter, const QRect& area, const QColor& ink, int step);
/// The last w tokens: never scored, always kept.
void paintGutter(QPainter& painter, const QRect& gutter, const Palette& colours);
/// Over values that are a preview: a light hatch, and the sign in the upper right corner.
void paintPreview(QPainter& painter, const QRect& area, const Palette& colours, const QFont& font);

/// Cross-hair: the cell's column over the whole plot, and the row if one is meant; the cell itself
/// stays free. `column` as from markPixels(), so it may lie in the gutter.
void paintHover(QPainter& painter, const QRect& plot, const PixelRange& column,
                const std::optional<QRect>& row, const Palette& colours);
/// `band` in px of the widget, as PositionView::rubberBand() gives it.
void paintRubberBand(QPainter& painter, const QRect& plot, const std::pair<int, int>& band,
                     const Palette& colours);
/// Dotted edge of a token that is tied at the cut, where tokens are kTiePixels wide or more.
inline constexpr int kTiePixels = 6;
void paintTie(QPainter& painter, const QRect& token, const Palette& colours);
/// The view that takes the keys.
void paintFocus(QPainter& painter, const QRect& view, const Palette& colours);

} // namespace fkv::viz
