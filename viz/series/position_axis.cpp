// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/position_axis.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {

TokenRange clampRange(TokenRange range, std::int64_t scored) {
    if (scored <= 0) return {};
    const std::int64_t size =
        std::clamp(range.size(), std::min(PositionAxis::kLeastVisible, scored), scored);
    const std::int64_t begin = std::clamp<std::int64_t>(range.begin, 0, scored - size);
    return {begin, begin + size};
}

TokenRange zoomRange(TokenRange range, std::int64_t scored, double anchor, double factor) {
    const double share = range.size() > 0 ? (anchor - static_cast<double>(range.begin)) /
                                                static_cast<double>(range.size())
                                          : 0.5;
    const auto size = static_cast<std::int64_t>(
        std::clamp(std::llround(static_cast<double>(range.size()) * factor),
                   static_cast<long long>(std::min(PositionAxis::kLeastVisible, scored)),
                   static_cast<long long>(std::max<std::int64_t>(scored, 0))));
    const auto begin = static_cast<std::int64_t>(std::llround(anchor - share * static_cast<double>(size)));
    return clampRange({begin, begin + size}, scored);
}

TokenRange panRange(TokenRange range, std::int64_t scored, std::int64_t tokens) {
    return clampRange({range.begin + tokens, range.end + tokens}, scored);
}

PositionAxis::PositionAxis(std::int64_t scored, TokenRange visible, int width)
    : m_scored(std::max<std::int64_t>(scored, 0)), m_visible(clampRange(visible, m_scored)),
      m_width(std::max(width, 0)) {
    if (m_visible.size() == 0 || m_width == 0) {
        m_visible = {};
        return;
    }
    m_perCell = (m_visible.size() + m_width - 1) / m_width;
    m_firstCell = m_visible.begin / m_perCell;
    m_cells = static_cast<int>((m_visible.end - 1) / m_perCell - m_firstCell + 1);
}

int PositionAxis::cellOf(std::int64_t token) const {
    if (m_cells == 0 || !m_visible.has(token)) return -1;
    return static_cast<int>(token / m_perCell - m_firstCell);
}

TokenRange PositionAxis::tokensOf(int cell) const {
    if (cell < 0 || cell >= m_cells) return {};
    const std::int64_t begin = (m_firstCell + cell) * m_perCell;
    return {begin, std::min(begin + m_perCell, m_scored)};
}

double PositionAxis::xOf(std::int64_t token) const {
    if (m_visible.size() == 0) return 0.0;
    return static_cast<double>(token - m_visible.begin) * m_width /
           static_cast<double>(m_visible.size());
}

PixelRange PositionAxis::pixelsOf(int cell) const {
    const TokenRange tokens = tokensOf(cell);
    if (tokens.size() == 0) return {};
    // A cell of several tokens is at least 1 px wide before rounding, so that edges rounded down leave
    // every one a pixel, the last too: its few tokens before the end would otherwise round away.
    const auto edge = [&](std::int64_t token) {
        const double x = xOf(token);
        return std::clamp(static_cast<int>(m_perCell == 1 ? std::lround(x) : std::floor(x)), 0, m_width);
    };
    return {edge(tokens.begin), edge(tokens.end)};
}

PixelRange PositionAxis::pixelsOf(TokenRange tokens, int leastWidth) const {
    const std::int64_t begin = std::max(tokens.begin, m_visible.begin);
    const std::int64_t end = std::min(tokens.end, m_visible.end);
    if (begin >= end) return {};
    int x0 = pixelsOf(cellOf(begin)).x0;
    int x1 = pixelsOf(cellOf(end - 1)).x1;
    const int least = std::min(leastWidth, m_width);
    if (x1 - x0 < least) {
        x0 = std::clamp(x0 - (least - (x1 - x0)) / 2, 0, m_width - least);
        x1 = x0 + least;
    }
    return {x0, x1};
}

int PositionAxis::cellAt(double x) const {
    if (m_cells == 0) return -1;
    // The guess by division can be one off the rounded edges; the edges decide.
    int cell = cellOf(tokenAt(x));
    const double inside = std::clamp(x, 0.0, m_width - 0.5);
    while (cell > 0 && inside < pixelsOf(cell).x0) --cell;
    while (cell + 1 < m_cells && inside >= pixelsOf(cell).x1) ++cell;
    return cell;
}

std::int64_t PositionAxis::tokenAt(double x) const {
    if (m_visible.size() == 0 || m_width == 0) return 0;
    const double offset = x * static_cast<double>(m_visible.size()) / m_width;
    return std::clamp(m_visible.begin + static_cast<std::int64_t>(std::floor(offset)),
                      m_visible.begin, m_visible.end - 1);
}

}  // namespace fkv::viz
