// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_totals.h"

#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"

#include <QCoreApplication>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <vector>

namespace fkv::viz {
namespace {

constexpr double kGap = 5.0;
constexpr double kLeastBars = 60.0;
constexpr double kMostRow = 22.0;

QString tr(const char* text) {
    return QCoreApplication::translate("TimingTotals", text);
}

/// One bar: `ms` long, with what stands beside it.
struct Row {
    QString name, value, shortValue;
    double ms = 0.0;
    double beside = 0.0;         ///< capture, hatched after the bar
    std::optional<double> least; ///< the bracket
    Spread spread;               ///< n > 0: dot and whisker
    QColor ink;
    bool hatched = false;
};

std::vector<Row> rowsOf(const TimingTotals& totals, const Palette& colours) {
    std::vector<Row> rows;
    const auto least = [](const std::optional<Speedup>& speedup,
                          double full) -> std::optional<double> {
        if (!speedup || !speedup->bound || *speedup->bound <= 0.0) return std::nullopt;
        return full / *speedup->bound;
    };
    const auto measured = [&](const Spread& spread, const QColor& ink,
                              std::optional<double> bound) {
        if (spread.n == 0) return;
        rows.push_back({tr("alone"),
                        QStringLiteral("%1, n = %2").arg(formatMs(spread.median)).arg(spread.n),
                        formatMs(spread.median), spread.median, 0.0, bound, spread, ink, false});
    };
    if (totals.fullMs) {
        const QString value = formatMs(*totals.fullMs);
        rows.push_back({tr("full"),
                        value,
                        value,
                        *totals.fullMs,
                        totals.captureMs.value_or(0.0),
                        {},
                        {},
                        colours.full,
                        false});
    }
    measured(totals.standaloneFull, colours.full, {});
    if (totals.fastKvMs) {
        const QString value = withState(formatMs(*totals.fastKvMs), totals.fastKvState);
        rows.push_back({tr("FastKV"),
                        value,
                        value,
                        *totals.fastKvMs,
                        0.0,
                        least(totals.composed, totals.fullMs.value_or(0.0)),
                        {},
                        colours.fastkv,
                        totals.fastKvState == trace::State::Preview});
    }
    measured(totals.standaloneFastKv, colours.fastkv,
             least(totals.standalone, totals.standaloneFull.median));
    return rows;
}

double longest(const std::vector<Row>& rows) {
    double most = 0.0;
    for (const Row& row : rows)
        most = std::max({most, row.ms + row.beside, row.spread.most, row.least.value_or(0.0)});
    return most > 0.0 ? most : 1.0;
}

QString speedupText(const Speedup& speedup) {
    QString text = withState(formatRatio(speedup.ratio), speedup.state);
    if (speedup.bound) text += QStringLiteral("  [≤ %1]").arg(formatRatio(*speedup.bound));
    if (speedup.suspicious()) text += tr("  check");
    return text;
}

void paintSpread(const ChartCanvas& canvas, const Spread& spread, double y, const auto& xOf) {
    const QPen pen(canvas.colours.text, 1.2);
    canvas.painter.setPen(pen);
    if (spread.n > 1) {
        canvas.painter.drawLine(QPointF(xOf(spread.least), y), QPointF(xOf(spread.most), y));
        for (const double end : {spread.least, spread.most})
            canvas.painter.drawLine(QPointF(xOf(end), y - 3.0), QPointF(xOf(end), y + 3.0));
    }
    paintMark(canvas.painter, ChartMark::Filled, {xOf(spread.median), y},
              {canvas.colours.text, canvas.colours.base, 2.2});
}

/// On one line; where both do not fit, what was measured standalone is the better witness.
void paintSpeedups(const ChartCanvas& canvas, QRectF line, const TimingTotals& totals) {
    const QFontMetricsF metrics(canvas.painter.font());
    QString composed = totals.composed ? speedupText(*totals.composed) : QString();
    const QString alone =
        totals.standalone ? tr("alone ") + speedupText(*totals.standalone) : QString();
    const double gap = 3.0 * kGap;
    if (!alone.isEmpty() && metrics.horizontalAdvance(composed + alone) + gap > line.width())
        composed.clear();
    const std::pair<QString, const std::optional<Speedup>&> parts[] = {{composed, totals.composed},
                                                                       {alone, totals.standalone}};
    for (const auto& [text, speedup] : parts) {
        if (text.isEmpty()) continue;
        canvas.painter.setPen(speedup->suspicious() ? canvas.colours.lost : canvas.colours.text);
        canvas.texts.place(canvas.painter, line, Qt::AlignLeft | Qt::AlignTop, text);
        line.setLeft(line.left() + metrics.horizontalAdvance(text) + gap);
    }
}

void paintBracket(QPainter& painter, double x, const QRectF& row, const QColor& ink) {
    painter.setPen(QPen(ink, 1.5));
    painter.drawPolyline(QPolygonF(
        {{x + 4.0, row.top()}, {x, row.top()}, {x, row.bottom()}, {x + 4.0, row.bottom()}}));
}

} // namespace

void paintTimingTotals(const ChartCanvas& canvas, const QRectF& area, const TimingTotals& totals) {
    const std::vector<Row> rows = rowsOf(totals, canvas.colours);
    if (rows.empty()) return;
    const QFontMetricsF metrics = canvas.metrics();
    const double line = metrics.height();
    double names = 0.0, values = 0.0, shortValues = 0.0;
    for (const Row& row : rows) {
        names = std::max(names, metrics.horizontalAdvance(row.name));
        values = std::max(values, metrics.horizontalAdvance(row.value));
        shortValues = std::max(shortValues, metrics.horizontalAdvance(row.shortValue));
    }
    // How often it was measured gives way to the bars; the readout says it too.
    const bool tight = area.width() - names - values - 3.0 * kGap < kLeastBars;
    if (tight) values = shortValues;
    // The axis goes first when it is tight.
    const double count = static_cast<double>(rows.size());
    const bool axis = area.height() >= (count + 2.0) * (line - 1.0);
    const double below = line * (1.0 + (axis ? 1.0 : 0.0));
    const double rowHeight = std::clamp((area.height() - below) / count, 8.0, kMostRow);
    const double most = longest(rows);
    const QRectF plot(area.left() + names + kGap, area.top(),
                      std::max(10.0, area.width() - names - values - 3.0 * kGap),
                      rowHeight * count);
    const auto xOf = [&](double ms) { return plot.left() + ms / most * plot.width(); };

    if (axis) {
        const double top = plot.bottom();
        for (const double ms : linearTicks(0.0, most, 3)) {
            const double x = std::round(xOf(ms)) + 0.5;
            canvas.painter.setPen(QPen(canvas.colours.gridLine, 1.0));
            canvas.painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
            canvas.painter.setPen(canvas.colours.mutedText);
            const QString text = ms == 0.0 ? QStringLiteral("0") : formatMs(ms);
            const double width = metrics.horizontalAdvance(text) + 2.0;
            canvas.texts.place(canvas.painter, {x - width / 2.0, top, width, line},
                               Qt::AlignHCenter | Qt::AlignTop, text);
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        const QRectF band(plot.left(), plot.top() + static_cast<double>(i) * rowHeight,
                          plot.width(), rowHeight);
        const double height = std::min(12.0, rowHeight - 3.0);
        const QRectF bar(plot.left(), std::round(band.center().y() - height / 2.0),
                         xOf(row.ms) - plot.left(), std::round(height));
        canvas.painter.setPen(canvas.colours.text);
        canvas.texts.place(canvas.painter, {area.left(), band.top(), names, band.height()},
                           Qt::AlignRight | Qt::AlignVCenter, row.name);
        const QColor ink = row.spread.n > 0 ? faded(row.ink, canvas.colours.base, 0.5) : row.ink;
        paintBar(canvas.painter, bar, {ink, canvas.colours.base, row.hatched});
        double end = bar.right();
        if (row.beside > 0.0) {
            const QRectF beside(bar.right() + 1.0, bar.top(),
                                xOf(row.ms + row.beside) - bar.right(), bar.height());
            paintBar(canvas.painter, beside,
                     {canvas.colours.zones[static_cast<std::size_t>(trace::ZoneGroup::Instrument)],
                      canvas.colours.base, true});
            end = beside.right();
        }
        if (row.spread.n > 0) {
            paintSpread(canvas, row.spread, bar.center().y(), xOf);
            end = std::max(end, xOf(row.spread.most));
        }
        if (row.least) {
            paintBracket(canvas.painter, xOf(*row.least), bar.adjusted(0, -1.5, 0, 1.5),
                         canvas.colours.text);
            end = std::max(end, xOf(*row.least) + 4.0);
        }
        canvas.painter.setPen(canvas.colours.text);
        canvas.texts.place(canvas.painter,
                           {end + kGap, band.top(), area.right() - end - kGap, band.height()},
                           Qt::AlignLeft | Qt::AlignVCenter, tight ? row.shortValue : row.value);
    }
    QFont bold = canvas.font;
    bold.setBold(true);
    canvas.painter.setFont(bold);
    const QRectF line1(area.left(), plot.bottom() + (axis ? line : 0.0), area.width(), line);
    paintSpeedups(canvas, line1, totals);
    canvas.painter.setFont(canvas.font);
}

} // namespace fkv::viz
