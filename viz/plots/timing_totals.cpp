// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_totals.h"

#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"
#include "viz/series/gpu_text.h"

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
constexpr double kSample = 7.0; ///< of a mark before its name
constexpr double kSampleGap = 3.0;
constexpr double kPieceGap = 12.0;
constexpr double kLeastPiece = 30.0;

QString tr(const char* text) {
    return QCoreApplication::translate("TimingTotals", text);
}

/// One bar: `ms` long, with what stands beside it.
struct Row {
    QString name, value, shortValue;
    double ms = 0.0;
    double beside = 0.0;         ///< capture, hatched after the bar
    std::optional<double> least; ///< the bracket
    std::optional<double> floor; ///< the line of the device's peak
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
    const auto measured = [&](const Spread& spread, const QColor& ink) {
        Row row;
        row.name = tr("alone");
        row.shortValue = formatMs(spread.median);
        row.value = QStringLiteral("%1, n = %2").arg(row.shortValue).arg(spread.n);
        row.ms = spread.median;
        row.spread = spread;
        row.ink = ink;
        return row;
    };
    if (totals.fullMs) {
        Row row;
        row.name = tr("full");
        row.value = row.shortValue = formatMs(*totals.fullMs);
        row.ms = *totals.fullMs;
        row.beside = totals.captureMs.value_or(0.0);
        row.floor = totals.floors.full;
        row.ink = colours.full;
        rows.push_back(row);
    }
    if (totals.standaloneFull.n > 0) {
        rows.push_back(measured(totals.standaloneFull, colours.full));
        rows.back().floor = totals.floors.standaloneFull;
    }
    if (totals.fastKvMs) {
        Row row;
        row.name = tr("FastKV");
        row.value = row.shortValue = withState(formatMs(*totals.fastKvMs), totals.fastKvState);
        row.ms = *totals.fastKvMs;
        row.least = least(totals.composed, totals.fullMs.value_or(0.0));
        row.floor = totals.floors.fastKv;
        row.ink = colours.fastkv;
        row.hatched = totals.fastKvState == trace::State::Preview;
        rows.push_back(row);
    }
    if (totals.standaloneFastKv.n > 0) {
        rows.push_back(measured(totals.standaloneFastKv, colours.fastkv));
        rows.back().least = least(totals.standalone, totals.standaloneFull.median);
        rows.back().floor = totals.floors.standaloneFastKv;
    }
    return rows;
}

double longest(const std::vector<Row>& rows) {
    double most = 0.0;
    for (const Row& row : rows)
        most = std::max({most, row.ms + row.beside, row.spread.most, row.least.value_or(0.0),
                         row.floor.value_or(0.0)});
    return most > 0.0 ? most : 1.0;
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

/// Words of the line below the bars, a sample of their mark before them.
struct Piece {
    QString text;
    QColor ink;
    bool bold = false;
    BoundMarks mark;
};

std::vector<Piece> speedupPieces(const TimingTotals& totals, const Palette& colours, bool composed,
                                 bool brief) {
    std::vector<Piece> pieces;
    const auto add = [&](const QString& name, const std::optional<Speedup>& speedup) {
        if (!speedup) return;
        const bool check = speedup->suspicious();
        QString text = name + withState(formatRatio(speedup->ratio), speedup->state);
        if (check) text += QStringLiteral("  ") + checkWord(totals.clocksLimited);
        pieces.push_back({text, check ? colours.lost : colours.text, true, {}});
        if (speedup->bound)
            pieces.push_back({(brief ? tr("bound %1") : tr("bound by the work done %1"))
                                  .arg(formatRatio(*speedup->bound)),
                              colours.mutedText,
                              false,
                              {true, false}});
    };
    if (composed) add({}, totals.composed);
    add(tr("alone "), totals.standalone);
    if (totals.peaks && totals.floors.full)
        pieces.push_back(
            {brief
                 ? tr("peak")
                 : tr("at %1 TFLOP/s").arg(formatSignificant(totals.peaks->flopPerSecond * 1e-12)),
             colours.mutedText,
             false,
             {false, true}});
    return pieces;
}

QFont fontOf(const ChartCanvas& canvas, const Piece& piece) {
    QFont font = canvas.font;
    font.setBold(piece.bold);
    return font;
}

double widthOf(const ChartCanvas& canvas, const Piece& piece) {
    return QFontMetricsF(fontOf(canvas, piece)).horizontalAdvance(piece.text) + 1.0 +
           (piece.mark.bracket || piece.mark.floor ? kSample + kSampleGap : 0.0);
}

void paintSample(const ChartCanvas& canvas, const QRectF& line, const BoundMarks& mark) {
    const QRectF bar(line.left(), line.center().y() - 4.0, kSample, 8.0);
    if (mark.bracket) paintBracket(canvas, bar.left() + 1.0, bar);
    if (mark.floor) paintFloor(canvas, bar.center().x(), bar);
}

/// On one line; where both do not fit, what was measured standalone is the better witness.
void paintSpeedups(const ChartCanvas& canvas, QRectF line, const TimingTotals& totals) {
    std::vector<Piece> pieces;
    for (const auto& [composed, brief] : {std::pair{true, false}, {true, true}, {false, true}}) {
        if (!composed && !totals.standalone) break;
        pieces = speedupPieces(totals, canvas.colours, composed, brief);
        double width = -kPieceGap;
        for (const Piece& piece : pieces)
            width += widthOf(canvas, piece) + kPieceGap;
        if (width <= line.width()) break;
    }
    for (const Piece& piece : pieces) {
        const double width = widthOf(canvas, piece);
        QRectF box(line.left(), line.top(), std::min(width, line.width()), line.height());
        if (box.width() < std::min(width, kLeastPiece)) break;
        canvas.painter.setFont(fontOf(canvas, piece));
        canvas.painter.setPen(piece.ink);
        const bool sample = piece.mark.bracket || piece.mark.floor;
        if (canvas.texts.place(canvas.painter,
                               box.adjusted(sample ? kSample + kSampleGap : 0.0, 0, 0, 0),
                               Qt::AlignLeft | Qt::AlignTop, piece.text) &&
            sample)
            paintSample(canvas, box, piece.mark);
        line.setLeft(line.left() + width + kPieceGap);
    }
    canvas.painter.setFont(canvas.font);
}

} // namespace

void paintBracket(const ChartCanvas& canvas, double x, const QRectF& bar) {
    canvas.painter.setPen(QPen(canvas.colours.text, 1.5));
    canvas.painter.drawPolyline(QPolygonF(
        {{x + 4.0, bar.top()}, {x, bar.top()}, {x, bar.bottom()}, {x + 4.0, bar.bottom()}}));
}

void paintFloor(const ChartCanvas& canvas, double x, const QRectF& bar) {
    // Two inks, so that it shows on the bar and beside it.
    const QRectF mark(std::round(x) - 1.0, bar.top() - 2.0, 2.0, bar.height() + 4.0);
    canvas.painter.fillRect(mark.adjusted(-1.0, 0.0, 1.0, 0.0), canvas.colours.base);
    canvas.painter.fillRect(mark, canvas.colours.text);
}

void paintBoundLegend(const ChartCanvas& canvas, const QRectF& line, const BoundMarks& marks) {
    const std::pair<BoundMarks, QString> entries[] = {{{marks.bracket, false}, tr("bound by work")},
                                                      {{false, marks.floor}, tr("device’s peak")}};
    double x = line.left();
    canvas.painter.setPen(canvas.colours.mutedText);
    for (const auto& [mark, name] : entries) {
        if (!mark.bracket && !mark.floor) continue;
        const double width = canvas.metrics().horizontalAdvance(name) + 1.0;
        const QRectF box(x + kSample + kSampleGap, line.top(), width, line.height());
        if (box.right() > line.right() + 0.5) return;
        canvas.painter.setPen(canvas.colours.mutedText);
        if (canvas.texts.place(canvas.painter, box, Qt::AlignLeft | Qt::AlignVCenter, name))
            paintSample(canvas, {x, line.top(), kSample, line.height()}, mark);
        x = box.right() + kPieceGap;
    }
}

QString boundTip(const std::optional<trace::DevicePeaks>& peaks) {
    QString tip = tr("Bracket: the least that FastKV’s prefill can take. What a row, a pair of "
                     "query and key and "
                     "a scored key cost in the full pass of this run, times the rows, pairs and "
                     "keys that FastKV "
                     "runs. A speedup beyond it would be a fault.");
    if (peaks)
        tip +=
            QStringLiteral("\n") +
            tr("Line: what this device allows. For a prefill its operations over %1 TFLOP/s, the "
               "rate of a large product; for a decoded token the weights and the kept KV over "
               "%2 GB/s, the rate of a large copy. Both measured beside the run.")
                .arg(formatSignificant(peaks->flopPerSecond * 1e-12),
                     formatSignificant(peaks->bytesPerSecond * 1e-9));
    return tip;
}

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
    const double words = line * (1.0 + (axis ? 1.0 : 0.0));
    const double rowHeight = std::clamp((area.height() - words) / count, 8.0, kMostRow);
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
        if (row.floor) paintFloor(canvas, xOf(*row.floor), bar);
        if (row.least) {
            paintBracket(canvas, xOf(*row.least), bar.adjusted(0, -1.5, 0, 1.5));
            end = std::max(end, xOf(*row.least) + 4.0);
        }
        canvas.painter.setPen(canvas.colours.text);
        canvas.texts.place(canvas.painter,
                           {end + kGap, band.top(), area.right() - end - kGap, band.height()},
                           Qt::AlignLeft | Qt::AlignVCenter, tight ? row.shortValue : row.value);
    }
    const QRectF below(area.left(), plot.bottom() + (axis ? line : 0.0), area.width(), line);
    paintSpeedups(canvas, below, totals);
}

} // namespace fkv::viz
