// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_layout.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace fkv::viz {

HeadsLayout::HeadsLayout(const Params& p)
    : m_rows(p.layers), m_columns(p.heads), m_firstLate(p.firstLate), m_scroll(p.scroll) {
    const int top = p.textHeight + 2;
    const int width = p.size.width() - p.leftWidth - p.rightWidth;
    const int height = p.size.height() - top;
    if (m_rows <= 0 || m_columns <= 0 || width <= 0 || height <= 0) return;
    m_pitch = width / m_columns;
    m_gap = m_pitch >= 40 ? 4 : m_pitch >= 6 ? 2 : m_pitch >= 3 ? 1 : 0;
    m_rowHeight =
        std::clamp((height - kLineGap) / m_rows, p.leastRow, std::max(p.leastRow, p.mostRow));
    m_rowGap = m_rowHeight >= 6 ? 1 : 0;
    m_scroll = std::clamp(m_scroll, 0, std::max(0, contentHeight() - height));
    m_header = QRect(p.leftWidth, 0, m_pitch * m_columns - m_gap, p.textHeight);
    m_grid = QRect(p.leftWidth, top, m_header.width(), std::min(height, contentHeight()));
}

int HeadsLayout::contentHeight() const {
    return m_rows * m_rowHeight + kLineGap;
}

int HeadsLayout::rowTop(int layer) const {
    return m_grid.top() - m_scroll + layer * m_rowHeight + (layer >= m_firstLate ? kLineGap : 0);
}

int HeadsLayout::lineY() const {
    return m_grid.top() - m_scroll + m_firstLate * m_rowHeight + kLineGap / 2;
}

QRect HeadsLayout::cell(int layer, int head) const {
    return {m_grid.left() + head * m_pitch, rowTop(layer), cellWidth(), m_rowHeight - m_rowGap};
}

QRect HeadsLayout::row(int layer) const {
    return {m_grid.left(), rowTop(layer), m_grid.width(), m_rowHeight - m_rowGap};
}

QRect HeadsLayout::rows(int first, int last) const {
    if (first >= last) return {};
    return row(first).united(row(last - 1));
}

int HeadsLayout::gutterWidth() const {
    return std::clamp(cellWidth() / 16, 2, 8);
}

HeadPlace HeadsLayout::hit(const QPoint& point) const {
    if (empty() || !m_grid.contains(point)) return {};
    const int head = std::min((point.x() - m_grid.left()) / m_pitch, m_columns - 1);
    int y = point.y() - m_grid.top() + m_scroll;
    const int split = m_firstLate * m_rowHeight;
    if (y >= split && y < split + kLineGap) return {};
    if (y >= split) y -= kLineGap;
    const int layer = y / m_rowHeight;
    return layer < m_rows ? HeadPlace{layer, head} : HeadPlace{};
}

std::vector<int> namedLayers(int layers, int tspLayer, int rowHeight, int textHeight) {
    int step = 4;
    while (step * rowHeight < textHeight)
        step *= 2;
    std::vector<int> named;
    for (int l = 0; l < layers; l += step)
        if (tspLayer < 0 || std::abs(l - tspLayer) * rowHeight >= textHeight) named.push_back(l);
    if (tspLayer >= 0 && tspLayer < layers)
        named.insert(std::lower_bound(named.begin(), named.end(), tspLayer), tspLayer);
    return named;
}

std::vector<int> spreadLabels(const std::vector<int>& middles, int height, int top, int bottom) {
    std::vector<std::size_t> order(middles.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return middles[a] < middles[b]; });
    std::vector<int> tops(middles.size());
    int free = top;
    for (const std::size_t i : order) {
        tops[i] = std::max(middles[i] - height / 2, free);
        free = tops[i] + height;
    }
    // What was pushed out at the bottom pushes back.
    free = bottom;
    for (auto i = order.rbegin(); i != order.rend(); ++i) {
        tops[*i] = std::min(tops[*i], free - height);
        free = tops[*i];
    }
    return tops;
}

} // namespace fkv::viz
