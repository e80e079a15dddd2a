// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_figures.h"

#include "viz/plots/timing_totals.h"
#include "viz/series/describe.h"
#include "viz/series/format.h"
#include "viz/series/gpu_text.h"

#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kGap = 14.0; ///< between columns
constexpr double kLeastBars = 100.0;
constexpr double kMostBars = 320.0;
constexpr double kTallestRow = 24.0;
constexpr double kPendingInk = 0.5;

QString nameOf(Figure figure) {
    switch (figure) {
    case Figure::Prefill:
        return TimingFiguresView::tr("prefill");
    case Figure::Selection:
        return TimingFiguresView::tr("selection");
    case Figure::Decode:
        return TimingFiguresView::tr("decoding, a token");
    case Figure::KvBytes:
        return TimingFiguresView::tr("keys and values");
    case Figure::PeakBytes:
        break;
    }
    return TimingFiguresView::tr("peak memory");
}

bool isBytes(Figure figure) {
    return figure == Figure::KvBytes || figure == Figure::PeakBytes;
}

QString valueOf(Figure figure, const FigureSide& side) {
    if (!side.value) return QStringLiteral("–");
    return withState(isBytes(figure) ? formatBytes(std::llround(*side.value))
                                     : formatMs(*side.value),
                     side.state);
}

bool suspicious(const TimingFigure& f) {
    return f.ratio() && Speedup{*f.ratio(), f.fastKv.state, f.bound}.suspicious();
}

} // namespace

struct TimingFiguresView::Row {
    QString name, full, fastKv, ratio, note, briefNote;
};

/// Left edges and widths in px; a column without width is left out.
struct TimingFiguresView::Columns {
    struct Column {
        double left = 0.0, width = 0.0;
    };
    Column name, bars, full, fastKv, ratio, note;
    bool briefNotes = false;
};

TimingFiguresView::TimingFiguresView(const ViewContext& context, QWidget* parent)
    : ChartView(context, tr("Figures of both passes and their bounds"), parent) {}

void TimingFiguresView::follow() {
    const Shown& shown = context().shown;
    m_figures.clear();
    m_peaks.reset();
    m_clocksLimited = false;
    m_settings.clear();
    if (shown.run() && shown.asked()) {
        const TimingBars bars = timingBars(*shown.run(), *shown.asked());
        const TimingTotals totals = timingTotals(*shown.run(), *shown.asked(), bars);
        m_figures = timingFigures(shown, bars, totals);
        m_peaks = totals.peaks;
        m_clocksLimited = totals.clocksLimited;
        if (shown.run()->fastkv && shown.answersPending())
            m_settings = describeSettings(shown.run()->fastkv->settings);
    }
    invalidate();
    Q_EMIT readoutChanged();
}

QString TimingFiguresView::emptyText() const {
    const auto known = [](const TimingFigure& f) {
        return !isBytes(f.figure) && (f.full.value || f.fastKv.value);
    };
    if (!context().shown.run() || std::any_of(m_figures.begin(), m_figures.end(), known)) return {};
    return tr("This run holds no times. Run the prompt again to see what it costs.");
}

QString TimingFiguresView::noteOf(const TimingFigure& f, bool brief) const {
    const auto reached = [&](const QString& of) {
        const auto full = TimingFigure::reached(f.full), fast = TimingFigure::reached(f.fastKv);
        if (!full || !fast) return QString();
        return tr("%1 and %2 of %3").arg(formatPercent(*full), formatPercent(*fast), of);
    };
    QStringList parts;
    switch (f.figure) {
    case Figure::Prefill:
        if (f.bound)
            parts << (brief ? QStringLiteral("≤ %1") : tr("≤ %1 by the work done"))
                         .arg(formatRatio(*f.bound));
        if (suspicious(f)) parts << checkWord(m_clocksLimited);
        if (m_peaks && !brief)
            parts << reached(
                tr("%1 TFLOP/s").arg(formatSignificant(m_peaks->flopPerSecond * 1e-12)));
        break;
    case Figure::Selection:
        if (f.fastKv.value && !m_figures.empty() && m_figures.front().fastKv.value)
            parts << (brief ? QStringLiteral("%1") : tr("%1 of FastKV’s prefill"))
                         .arg(formatPercent(*f.fastKv.value / *m_figures.front().fastKv.value));
        break;
    case Figure::Decode:
        if (m_peaks)
            parts << reached(
                brief
                    ? tr("peak")
                    : tr("%1 GB/s copied").arg(formatSignificant(m_peaks->bytesPerSecond * 1e-9)));
        break;
    case Figure::KvBytes:
        if (f.full.value && f.fastKv.value)
            parts << (brief ? QStringLiteral("%1") : tr("%1 of full context"))
                         .arg(formatPercent(*f.fastKv.value / *f.full.value));
        break;
    case Figure::PeakBytes:
        parts << (!f.full.value && !f.fastKv.value ? (brief ? tr("press Measure") : tr("Measure fills it in"))
                  : brief       ? QString()
                                : tr("weights included"));
        break;
    }
    parts.removeAll(QString());
    return parts.join(QStringLiteral(" · "));
}

std::vector<TimingFiguresView::Row> TimingFiguresView::rows() const {
    std::vector<Row> rows;
    for (const TimingFigure& f : m_figures) {
        const auto ratio = f.ratio();
        rows.push_back({nameOf(f.figure), valueOf(f.figure, f.full), valueOf(f.figure, f.fastKv),
                        ratio ? formatRatio(*ratio) : QString(), noteOf(f, false),
                        noteOf(f, true)});
    }
    return rows;
}

TimingFiguresView::Columns TimingFiguresView::columnsOf(const ChartCanvas& canvas,
                                                        const std::vector<Row>& rows) const {
    const QFontMetricsF metrics = canvas.metrics();
    Columns c;
    const auto widen = [&](double& width, const QString& text) {
        width = std::max(width, metrics.horizontalAdvance(text) + 1.0);
    };
    double note = 0.0, brief = 0.0;
    widen(c.full.width, tr("full"));
    widen(c.fastKv.width, tr("FastKV"));
    widen(c.ratio.width, tr("ratio"));
    for (const Row& row : rows) {
        widen(c.name.width, row.name);
        widen(c.full.width, row.full);
        widen(c.fastKv.width, row.fastKv);
        widen(c.ratio.width, row.ratio);
        widen(note, row.note);
        widen(brief, row.briefNote);
    }
    const double left = 6.0;
    const double room = canvas.size.width() - 2.0 * left - c.name.width - c.full.width -
                        c.fastKv.width - c.ratio.width - 3.0 * kGap;
    // Bars before long words; short words before nothing.
    if (room >= kLeastBars + note + 2.0 * kGap) {
        c.note.width = note;
    } else if (room >= brief + kGap) {
        c.note.width = brief;
        c.briefNotes = true;
    }
    const double rest = room - c.note.width - 2.0 * kGap;
    c.bars.width = rest >= kLeastBars ? std::min(rest, kMostBars) : 0.0;
    double x = left;
    for (Columns::Column* column : {&c.name, &c.bars, &c.full, &c.fastKv, &c.ratio, &c.note}) {
        column->left = x;
        if (column->width > 0.0) x += column->width + kGap;
    }
    return c;
}

void TimingFiguresView::paintHeader(const ChartCanvas& canvas, const Columns& c,
                                    double line) const {
    canvas.painter.setPen(canvas.colours.mutedText);
    const auto over = [&](const Columns::Column& column, const QString& text) {
        canvas.texts.place(canvas.painter, {column.left, 0.0, column.width, line},
                           Qt::AlignRight | Qt::AlignVCenter, text);
    };
    over(c.full, tr("full"));
    over(c.fastKv, tr("FastKV"));
    over(c.ratio, tr("ratio"));
    if (c.bars.width <= 0.0) return;
    const bool bound = std::any_of(m_figures.begin(), m_figures.end(),
                                   [](const TimingFigure& f) { return f.least().has_value(); });
    paintBoundLegend(canvas, {c.bars.left, 0.0, c.bars.width, line}, {bound, m_peaks.has_value()});
}

void TimingFiguresView::paintBars(const ChartCanvas& canvas, const QRectF& band,
                                  const TimingFigure& f) const {
    double most = f.least().value_or(0.0);
    for (const FigureSide* side : {&f.full, &f.fastKv})
        most = std::max({most, side->value.value_or(0.0), side->floor.value_or(0.0)});
    if (most <= 0.0 || !f.full.value) return;
    const auto xOf = [&](double value) {
        return band.left() + value / most * (band.width() - 6.0);
    };
    const double height = std::max(2.0, std::floor((band.height() - 4.0) / 2.0));
    double top = std::round(band.top() + (band.height() - 2.0 * height - 1.0) / 2.0);
    for (const FigureSide* side : {&f.full, &f.fastKv}) {
        const bool fast = side == &f.fastKv;
        const QColor ink = fast ? canvas.colours.fastkv : canvas.colours.full;
        const QRectF bar(band.left(), top, xOf(side->value.value_or(0.0)) - band.left(), height);
        paintBar(canvas.painter, bar,
                 {side->state == trace::State::Pending
                      ? faded(ink, canvas.colours.base, kPendingInk)
                      : ink,
                  canvas.colours.base, side->state == trace::State::Preview});
        if (side->floor) paintFloor(canvas, xOf(*side->floor), bar);
        if (fast && f.least()) paintBracket(canvas, xOf(*f.least()), bar.adjusted(0, -1, 0, 1));
        top += height + 1.0;
    }
}

void TimingFiguresView::paintPicture(const ChartCanvas& canvas) const {
    const std::vector<Row> rows = this->rows();
    const Columns c = columnsOf(canvas, rows);
    const double line = canvas.metrics().height();
    const double count = static_cast<double>(rows.size()) + 1.0;
    const double height = std::clamp(canvas.size.height() / count, line - 1.0, kTallestRow);
    paintHeader(canvas, c, height);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double top = height * static_cast<double>(i + 1);
        if (top + line > canvas.size.height() + 2.0) return;
        const auto place = [&](const Columns::Column& column, Qt::Alignment side,
                               const QString& text, const QColor& ink) {
            canvas.painter.setPen(ink);
            if (column.width > 0.0 && !text.isEmpty())
                canvas.texts.place(canvas.painter, {column.left, top, column.width, height},
                                   side | Qt::AlignVCenter, text);
        };
        const TimingFigure& f = m_figures[i];
        const QColor &text = canvas.colours.text, &muted = canvas.colours.mutedText;
        const bool pending = f.fastKv.state == trace::State::Pending;
        const QColor method = pending ? faded(text, canvas.colours.base, kPendingInk) : text;
        place(c.name, Qt::AlignLeft, rows[i].name, text);
        place(c.full, Qt::AlignRight, rows[i].full, text);
        place(c.fastKv, Qt::AlignRight, rows[i].fastKv, method);
        place(c.ratio, Qt::AlignRight, rows[i].ratio, suspicious(f) ? canvas.colours.lost : method);
        place(c.note, Qt::AlignLeft, c.briefNotes ? rows[i].briefNote : rows[i].note, muted);
        if (c.bars.width > 0.0) paintBars(canvas, {c.bars.left, top, c.bars.width, height}, f);
    }
}

QString TimingFiguresView::tipAt(const QPointF&) const {
    return m_figures.empty() ? QString() : boundTip(m_peaks);
}

QString TimingFiguresView::readout() const {
    if (m_figures.empty() || !emptyText().isEmpty()) return {};
    QStringList parts;
    const TimingFigure& prefill = m_figures.front();
    parts << (prefill.n > 0
                  ? tr("deployed path, median of %1").arg(prefill.n)
              : prefill.fastKv.state == trace::State::Exact
                  ? tr("deployed path, run once; Measure repeats it")
                  : tr("prefill added up from two passes; Measure runs the deployed path"));
    if (m_peaks)
        parts << tr("this device: product %1 TFLOP/s, copy %2 GB/s")
                     .arg(formatSignificant(m_peaks->flopPerSecond * 1e-12),
                          formatSignificant(m_peaks->bytesPerSecond * 1e-9));
    if (!m_settings.isEmpty()) parts << tr("dimmed: of %1").arg(m_settings);
    return parts.join(QStringLiteral(" · "));
}

QStringList TimingFiguresView::shorterReadouts() const {
    if (m_figures.empty() || !emptyText().isEmpty()) return {};
    QStringList parts{m_figures.front().n > 0
                          ? tr("deployed path, n = %1").arg(m_figures.front().n)
                      : m_figures.front().fastKv.state == trace::State::Exact
                          ? tr("deployed path, run once")
                          : tr("Σ: two passes added up; Measure runs the deployed path")};
    const QString bare = parts.first();
    if (m_peaks)
        parts << tr("%1 TFLOP/s, %2 GB/s at most")
                     .arg(formatSignificant(m_peaks->flopPerSecond * 1e-12),
                          formatSignificant(m_peaks->bytesPerSecond * 1e-9));
    if (!m_settings.isEmpty()) parts << tr("dimmed: other settings");
    return {parts.join(QStringLiteral(" · ")), bare};
}

QString TimingFiguresView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "figure,unit,full,fastkv,fastkv_state,ratio,ratio_bound_by_work,full_device_floor,"
           "fastkv_device_floor,standalone_runs\n";
    const auto number = [](const std::optional<double>& value) {
        return value ? QString::number(*value, 'g', 12) : QString();
    };
    static const std::array<const char*, 5> kNames{"prefill", "selection", "decode_token",
                                                   "kv_bytes", "peak_bytes"};
    for (const TimingFigure& f : m_figures)
        out << kNames[static_cast<std::size_t>(f.figure)] << ','
            << (isBytes(f.figure) ? "bytes" : "ms") << ',' << number(f.full.value) << ','
            << number(f.fastKv.value) << ',' << stateName(f.fastKv.state) << ','
            << number(f.ratio()) << ',' << number(f.bound) << ',' << number(f.full.floor) << ','
            << number(f.fastKv.floor) << ',' << f.n << '\n';
    return text;
}

} // namespace fkv::viz
