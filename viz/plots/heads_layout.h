// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/head_counts.h"
#include "viz/series/head_strips.h"

#include <QPoint>
#include <QRect>
#include <QSize>
#include <QString>
#include <vector>

namespace fkv::viz {

/// Pixels of the grid "KV per head": rows are layers, 0 on top, all of one height; columns are KV
/// heads, all of one width. Below row t a gap holds the TSP line. Left of the grid are names of
/// layers, above it those of heads, right of it what a row costs. Pure, so that it is tested
/// without a window.
class HeadsLayout {
public:
    static constexpr int kLeastRow = 3;
    static constexpr int kLeastStrip = 16; ///< narrower cells show one colour
    static constexpr int kLineGap = 5;     ///< between the blocks above and below the TSP line

    struct Params {
        QSize size;
        int layers = 0;
        int heads = 0;
        int firstLate = 0; ///< == layers when TSP is off: the line lies at the bottom edge
        int textHeight = 12;
        int leftWidth = 40;
        int rightWidth = 100;
        int leastRow = kLeastRow;
        int mostRow = 28;
        int scroll = 0; ///< px by which rows are moved up, when not all of them fit
    };
    HeadsLayout() = default;
    explicit HeadsLayout(const Params& params);

    bool empty() const { return m_rows == 0 || m_columns == 0 || m_pitch < 2; }
    int layers() const { return m_rows; }
    int heads() const { return m_columns; }
    QRect grid() const { return m_grid; }     ///< rows that are visible
    QRect header() const { return m_header; } ///< names of heads, as wide as the grid
    int rowHeight() const { return m_rowHeight; }
    int contentHeight() const; ///< of all rows; more than grid().height() when they scroll
    int rowTop(int layer) const;
    int lineY() const; ///< middle of the TSP line
    /// Without the gap to the next cell.
    QRect cell(int layer, int head) const;
    QRect row(int layer) const;
    QRect rows(int first, int last) const; ///< [first, last)
    bool showsStrips() const { return cellWidth() >= kLeastStrip; }
    int cellWidth() const { return m_pitch - m_gap; }
    /// Part of a cell that is the strip; the rest, behind a gap of 1 px, is the window's gutter.
    int stripWidth() const { return cellWidth() - gutterWidth() - 1; }
    int gutterWidth() const;
    /// Layer and head under a point; invalid outside.
    HeadPlace hit(const QPoint& point) const;

private:
    int m_rows = 0, m_columns = 0, m_firstLate = 0;
    int m_rowHeight = kLeastRow, m_rowGap = 0, m_pitch = 0, m_gap = 0, m_scroll = 0;
    QRect m_grid, m_header;
};

/// Layers to name at the left: every 4th, 8th, ..., and always t (negative: none), which pushes
/// away what is too near.
std::vector<int> namedLayers(int layers, int tspLayer, int rowHeight, int textHeight);

/// Moves labels of `height` px, whose middles are wanted at `middles`, apart so that none overlaps
/// and all stay inside [top, bottom) while there is room; keeps their order. Returns their tops.
std::vector<int> spreadLabels(const std::vector<int>& middles, int height, int top, int bottom);

} // namespace fkv::viz
