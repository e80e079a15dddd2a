// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace fkv::viz {

/// Tokens [begin, end).
struct TokenRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t size() const { return end > begin ? end - begin : 0; }
    bool has(std::int64_t i) const { return i >= begin && i < end; }
    bool operator==(const TokenRange&) const = default;
};

/// Pixels [x0, x1) in logical px, x1 >= x0.
struct PixelRange {
    int x0 = 0;
    int x1 = 0;
    int width() const { return x1 - x0; }
};

/// The one mapping of prompt positions to pixels that every position view uses (VIEWS section 1).
/// The scored tokens of the visible range fill `width` logical px in cells of s tokens, aligned to
/// multiples of s from token 0, so that panning never makes cells flicker; the window is not on the
/// axis but in a gutter of kGutter px at its right. Edge cases: no tokens or no width gives no cells;
/// a range is clamped to the scored tokens and widened to kLeastVisible (or all of them).
class PositionAxis {
public:
    static constexpr int kGutter = 8;
    static constexpr std::int64_t kLeastVisible = 16;

    PositionAxis() = default;
    /// `scored` is M; `visible` in tokens; `width` px of the plot without the gutter.
    PositionAxis(std::int64_t scored, TokenRange visible, int width);

    std::int64_t scored() const { return m_scored; }
    TokenRange visible() const { return m_visible; }
    int width() const { return m_width; }
    std::int64_t tokensPerCell() const { return m_perCell; }
    int cells() const { return m_cells; }

    /// Cell that shows a visible token, -1 outside.
    int cellOf(std::int64_t token) const;
    /// Tokens of a cell, cut to the scored tokens; at the borders a cell may reach out of the range.
    TokenRange tokensOf(int cell) const;
    /// Pixels of a cell, cut to the plot: edges round(offset * width / visible) for one token a cell, else
    /// rounded down. When all tokens are visible, no cell is empty.
    PixelRange pixelsOf(int cell) const;
    /// Pixels of a run of tokens, at least `leastWidth` wide and inside the plot; empty when outside.
    PixelRange pixelsOf(TokenRange tokens, int leastWidth) const;
    /// Cell under x, clamped to the plot; -1 when there is none.
    int cellAt(double x) const;
    /// Token under x, clamped to the visible range.
    std::int64_t tokenAt(double x) const;
    /// Left edge of a token in px, not clamped.
    double xOf(std::int64_t token) const;

private:
    std::int64_t m_scored = 0;
    TokenRange m_visible;
    int m_width = 0;
    std::int64_t m_perCell = 1;
    std::int64_t m_firstCell = 0;  ///< index of the first cell in multiples of m_perCell from token 0
    int m_cells = 0;
};

/// The range as the axis would show it: inside [0, scored), at least kLeastVisible or all tokens.
TokenRange clampRange(TokenRange range, std::int64_t scored);
/// `range` scaled by `factor` (> 1 zooms out) about token position `anchor`, which keeps its place.
TokenRange zoomRange(TokenRange range, std::int64_t scored, double anchor, double factor);
/// `range` moved by `tokens`, its size kept.
TokenRange panRange(TokenRange range, std::int64_t scored, std::int64_t tokens);

}  // namespace fkv::viz
