// SPDX-License-Identifier: GPL-3.0-or-later
// Layout and painting of the readouts.
#include "viz/plots/readouts_view.h"

#include <QFontMetrics>
#include <QLineEdit>
#include <QPainter>
#include <QStringList>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kMargin = 6, kGap = 8, kRowGap = 3;
constexpr double kPendingInk = 0.5;

/// The widest that usually comes, so that columns do not jump while a slider moves.
QString usualValue(std::size_t column) {
    return column == 0   ? QStringLiteral("1,830 ms")
           : column == 1 ? QStringLiteral("○ Σ 1,830 ms")
                         : QStringLiteral("12.5×");
}

} // namespace

ReadoutsView::Geometry ReadoutsView::geometry(int width) const {
    Geometry g;
    const QFontMetrics metrics(m_context.theme.font()), small(m_context.theme.smallFont());
    g.lineHeight = metrics.height();
    const QStringList heads{tr("full"), tr("FastKV"), tr("ratio")};
    int columns = 2 * kGap;
    for (std::size_t c = 0; c < 3; ++c) {
        g.columnWidth[c] = std::max(metrics.horizontalAdvance(usualValue(c)) + 2,
                                    small.horizontalAdvance(heads[static_cast<qsizetype>(c)]));
        columns += g.columnWidth[c];
    }
    int name = 0;
    for (std::size_t i = 0; i < kMetrics; ++i)
        name = std::max(name, small.horizontalAdvance(nameOf(static_cast<Metric>(i))));
    const int gib = small.horizontalAdvance(QStringLiteral("0000.0 GiB")) + 2 * kGap;
    const int target = small.horizontalAdvance(QStringLiteral("≤ 1,830 ms ")) +
                       small.horizontalAdvance(tr("✖ missed"));
    // Beside each other: name, three columns, target.
    const int beside = 2 * kMargin + name + gib + columns + 2 * kGap + target;
    g.stacked = beside > width;
    // Stacked, the columns share the width; where even that is too little, all give way alike.
    const int room = width - 2 * kMargin - 2 * kGap;
    for (std::size_t c = 0; g.stacked && c < 3; ++c)
        g.columnWidth[c] = g.columnWidth[c] * room / (columns - 2 * kGap);
    int right = g.stacked ? width - kMargin : width - kMargin - target - kGap;
    for (std::size_t c = 3; c-- > 0; right = g.columnLeft[c] - kGap)
        g.columnLeft[c] = right - g.columnWidth[c];
    g.rowHeight = (g.stacked ? 2 : 1) * g.lineHeight + kRowGap;
    g.headerTop = 2;
    int top = g.headerTop + small.height() + 2;
    for (std::size_t i = 0; i < kMetrics; ++i) {
        if (static_cast<Metric>(i) == Metric::FirstKl) {
            g.fidelityTop = top + kRowGap;
            top = g.fidelityTop + small.height() + 2;
        }
        g.top[i] = top;
        top += g.rowHeight;
    }
    g.height = top + 2;
    return g;
}

QRect ReadoutsView::targetRect(Metric metric) const {
    const Geometry& g = m_geometry;
    const int top = g.top[index(metric)];
    const int left =
        g.stacked ? nameRect(metric).right() + kGap : g.columnLeft[2] + g.columnWidth[2] + kGap;
    return {left, top, width() - kMargin - left, g.lineHeight};
}

QRect ReadoutsView::nameRect(Metric metric) const {
    const Geometry& g = m_geometry;
    const QFontMetrics small(m_context.theme.smallFont());
    int needed = small.horizontalAdvance(nameOf(metric)) + 2;
    if (metric == Metric::Sequences) // its field, and the unit behind it
        needed += m_gibEdit->width() + small.horizontalAdvance(QStringLiteral(" GiB ")) + kGap;
    const int room = g.stacked ? width() - 2 * kMargin : g.columnLeft[0] - kGap - kMargin;
    return {kMargin, g.top[index(metric)], std::min(needed, room), g.lineHeight};
}

QRect ReadoutsView::valueRect(Metric metric, int column) const {
    const Geometry& g = m_geometry;
    const int top = g.top[index(metric)] + (g.stacked ? g.lineHeight : 0);
    const auto c = static_cast<std::size_t>(column);
    return {g.columnLeft[c], top, g.columnWidth[c], g.lineHeight};
}

QSize ReadoutsView::sizeHint() const {
    const int width = m_context.theme.scaled(248);
    return {width, geometry(width).height};
}

QSize ReadoutsView::minimumSizeHint() const {
    return {m_context.theme.scaled(200), m_geometry.height};
}

void ReadoutsView::relayout() {
    m_geometry = geometry(width());
    const QFontMetrics small(m_context.theme.smallFont());
    m_gibEdit->resize(small.horizontalAdvance(QStringLiteral("00000")) + 8,
                      m_geometry.lineHeight + 2);
    const int name = small.horizontalAdvance(nameOf(Metric::Sequences));
    m_gibEdit->move(kMargin + name + kGap / 2, m_geometry.top[index(Metric::Sequences)] - 1);
    if (m_edited != Metric::Count) m_editor->setGeometry(targetRect(m_edited));
    // The height follows from the width; a layout that asks for the least gets it.
    setMinimumHeight(m_geometry.height);
    updateGeometry();
    update();
}

void ReadoutsView::resizeEvent(QResizeEvent*) {
    relayout();
}

void ReadoutsView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Palette& colours = m_context.theme.palette();
    const Geometry& g = m_geometry;
    const QFontMetrics small(m_context.theme.smallFont());
    painter.setFont(m_context.theme.smallFont());
    painter.setPen(colours.mutedText);
    const QStringList heads{tr("full"), tr("FastKV"), tr("ratio")};
    for (std::size_t c = 0; c < 3; ++c)
        painter.drawText(QRect(g.columnLeft[c], g.headerTop, g.columnWidth[c], small.height()),
                         Qt::AlignRight | Qt::AlignVCenter, heads[static_cast<qsizetype>(c)]);
    painter.setPen(colours.gridLine);
    const auto rule = [&](int y) { painter.drawLine(kMargin, y, width() - kMargin, y); };
    rule(g.fidelityTop - 1);
    // Two lines a row need a rule between rows to be read as one.
    for (std::size_t i = 0; g.stacked && i < kMetrics; ++i)
        if (static_cast<Metric>(i) != Metric::FirstKl) rule(g.top[i] - 2);
    painter.setPen(colours.mutedText);
    painter.drawText(QRect(kMargin, g.fidelityTop, width() - 2 * kMargin, small.height()),
                     Qt::AlignLeft | Qt::AlignVCenter,
                     small.elidedText(fidelityCaption(), Qt::ElideRight, width() - 2 * kMargin));
    for (std::size_t i = 0; i < kMetrics; ++i)
        paintRow(painter, static_cast<Metric>(i));
}

void ReadoutsView::paintRow(QPainter& painter, Metric metric) const {
    const Palette& colours = m_context.theme.palette();
    const RowText text = rowText(metric);
    const int row = static_cast<int>(index(metric));
    const QFontMetrics small(m_context.theme.smallFont()), metrics(m_context.theme.font());
    const QRect whole(2, m_geometry.top[index(metric)], width() - 4, m_geometry.rowHeight - 1);
    const bool current = hasFocus() && m_current == row;
    if (m_hovered == row || current) {
        painter.fillRect(whole, faded(colours.text, colours.window, 0.05));
        if (current) {
            painter.setPen(colours.focus);
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(whole.adjusted(0, 0, -1, -1));
        }
    }
    painter.setFont(m_context.theme.smallFont());
    painter.setPen(colours.mutedText);
    const QRect name = nameRect(metric);
    painter.drawText(name, Qt::AlignLeft | Qt::AlignVCenter,
                     small.elidedText(text.name, Qt::ElideRight, name.width()));
    if (metric == Metric::Sequences) {
        const int left = m_gibEdit->geometry().right() + 3;
        painter.drawText(QRect(left, name.top(), name.right() - left + kGap, name.height()),
                         Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("GiB"));
    }
    const QRect target = targetRect(metric);
    if (m_edited != metric) {
        const bool ghost = text.target.isEmpty() && (m_hovered == row || current);
        painter.setPen(ghost ? colours.mutedText : colours.text);
        painter.drawText(target, Qt::AlignRight | Qt::AlignVCenter,
                         small.elidedText(ghost ? tr("set target") : text.target, Qt::ElideLeft,
                                          target.width()));
    }
    if (m_edited == metric && m_invalid) {
        painter.setPen(colours.text);
        const QRect line =
            m_geometry.stacked ? valueRect(metric, 0).united(valueRect(metric, 2)) : name;
        painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, tr("✖ not read; e.g. <= 500"));
        return;
    }
    if (metric == Metric::PeakMemory && !std::isfinite(reading(metric).method)) {
        painter.setPen(colours.mutedText);
        painter.drawText(valueRect(metric, 0).united(valueRect(metric, 2)),
                         Qt::AlignRight | Qt::AlignVCenter, tr("press Measure"));
        return;
    }
    painter.setFont(m_context.theme.numberFont());
    const QColor pending = faded(colours.text, colours.window, kPendingInk);
    const QStringList values{text.full, text.method, text.ratio};
    for (int c = 0; c < 3; ++c) {
        const QRect cell = valueRect(metric, c);
        painter.setPen(c > 0 && reading(metric).pending ? pending : colours.text);
        painter.drawText(cell, Qt::AlignRight | Qt::AlignVCenter,
                         metrics.elidedText(values[c], Qt::ElideLeft, cell.width()));
    }
}

} // namespace fkv::viz
