// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRect>
#include <QSize>

namespace fkv::viz {

/// Where everything of the importance map lies, in px of its view. A pure function of a few
/// numbers, so that a picture of any size is laid out like the window.
///
///     left label | marks lane                     | gutter |
///     layer 0    | rows 0 .. t                    | hatch  | right label: S = 131,072
///     <          | TSP line                       | >      | TSP 20 %
///     passes     | ribbon                         |        |
///                | rows t+1 .. L-1                |        | T = 26,214
///     lost       | lost lane                      |
///     token      | ticks                          |
///                | strip of the whole prompt, when zoomed
///
/// Rows are at least kLeastRow px high; when they do not fit, rows, line and ribbon scroll together
/// inside `rowsView`. Moving the line moves only what lies between its old and its new place;
/// zooming moves no row: the strip takes its room from the lost lane.
struct ImportanceLayout {
    static constexpr int kLeastRow = 3;

    struct Inputs {
        QSize size;
        int layers = 0;
        int above = 0; ///< rows above the line: t + 1, or all of them when TSP is off
        bool zoomed = false;
        int textHeight = 0; ///< of a label
        int leftWidth = 0;  ///< of the labels, without handles
        int rightWidth = 0;
        int scroll = 0;     ///< px, clamped to what there is
        double scale = 1.0; ///< of presenter type
    };
    ImportanceLayout() = default;
    explicit ImportanceLayout(const Inputs& inputs);

    QRect marks;    ///< as wide as plot and gutter, like rowsView, ribbon and lost lane
    QRect rowsView; ///< what is visible of rows, line and ribbon
    QRect line;     ///< in the plot's and the gutter's width; may be scrolled out of rowsView
    QRect ribbon;
    QRect lost;
    QRect ticks;                   ///< as wide as the plot
    QRect overview;                ///< null unless zoomed
    QRect leftHandle, rightHandle; ///< of the line
    int plotLeft = 0;
    int plotWidth = 0;
    int leftLabels = 0, rightLabels = 0; ///< x where labels begin
    int leftLabelWidth = 0, rightLabelWidth = 0;
    int layers = 0;
    int above = 0;
    int rowHeight = kLeastRow;
    int scroll = 0;
    int mostScroll = 0;

    int plotRight() const { return plotLeft + plotWidth; }
    /// Rows of a layer; of layer == layers an empty one where the next would begin.
    QRect row(int layer) const;
    /// Rows [first, last) that are not parted by the line.
    QRect block(int first, int last) const;
    /// Layer at y, clamped to the rows; -1 on line and ribbon.
    int layerAt(int y) const;
    /// Number of rows above the line if it were at y: 1 to layers.
    int aboveForLineAt(int y) const;
    /// Scroll that shows a layer; layer t with line and ribbon.
    int scrollTo(int layer) const;
};

} // namespace fkv::viz
