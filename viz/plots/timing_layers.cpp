// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_layers.h"

#include "viz/plots/timing_legend.h"
#include "viz/plots/timing_totals.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"
#include "viz/series/gpu_text.h"

#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kGap = 12.0; ///< between plot, legend and totals
constexpr double kWidestBar = 16.0;
constexpr double kLeastPlot = 140.0; ///< px in the normal type; the columns beside it shrink first
constexpr double kMostTotals = 290.0;
constexpr double kLeastTotals = 160.0;

std::size_t at(trace::ZoneGroup group) {
    return static_cast<std::size_t>(group);
}

/// A prefill changes with the run, the TSP cut and the scoring; never with the KV budget.
bool samePrefill(const trace::FatePtr& a, const trace::FatePtr& b) {
    if (!a || !b) return a == b;
    return a->settings.samePrefill(b->settings) && a->budgets.propagated == b->budgets.propagated;
}

} // namespace

TimingLayersView::TimingLayersView(const ViewContext& context, QWidget* parent)
    : LayerChart(context, {tr("Milliseconds by layer and zone"), false}, parent) {}

void TimingLayersView::follow() {
    const trace::RunPtr& run = context().shown.run();
    const trace::FatePtr& fate = context().shown.asked();
    if (run == m_run && samePrefill(fate, m_fate)) return;
    m_run = run;
    m_fate = fate;
    m_bars = run && fate ? timingBars(*run, *fate) : TimingBars{};
    m_totals = run && fate ? timingTotals(*run, *fate, m_bars) : TimingTotals{};
    invalidate();
    Q_EMIT readoutChanged();
}

QString TimingLayersView::emptyText() const {
    if (!m_run || !m_bars.layers.empty()) return {};
    if (!m_run->hasReference())
        return tr("Layers are compared with full context, which does not fit. Figures and Timeline "
                  "show FastKV alone.");
    return tr("This run holds no times. Run the prompt again to see what each layer costs.");
}

ValueScale TimingLayersView::scale() const {
    return {0.0, m_bars.mostMs > 0.0 ? m_bars.mostMs * 1.04 : 1.0, false};
}

LayerChart::ValueTicks TimingLayersView::ticks(double height) const {
    const double line = QFontMetricsF(context().theme.smallFont()).height();
    ValueTicks ticks;
    // Of the plot alone, and the lowest label stands higher than its line.
    const double room = height - 1.5 * line;
    for (const double ms :
         linearTicks(0.0, scale().atTop, std::clamp(static_cast<int>(room / (line + 4.0)), 2, 6)))
        ticks.emplace_back(ms, QString::number(ms, 'g', 4));
    if (!ticks.empty()) ticks.back().second += tr(" ms");
    return ticks;
}

TimingLegend TimingLayersView::legendOf(const Columns& columns) const {
    return {m_bars, m_totals.captureMs, columns.numbers, columns.shortNames};
}

TimingLayersView::Columns TimingLayersView::columnsOf(const QSizeF& size) const {
    const QFont font = context().theme.smallFont();
    const double left = labelWidth(ticks(size.height()));
    const double type = QFontMetricsF(font).height() / 13.0;
    Columns columns;
    if (size.width() >= (kLeastTotals + kLeastPlot) * type + left)
        columns.totals = std::clamp(size.width() * 0.33, kLeastTotals * type, kMostTotals * type);
    const double room = size.width() - left - columns.totals - kLeastPlot * type - 2.0 * kGap;
    // Numbers first, then the long name; what does not fit at all is in the readout.
    for (const bool numbers : {true, false})
        for (const bool shortNames : {false, true}) {
            columns.numbers = numbers;
            columns.shortNames = shortNames;
            columns.legend = timingLegendWidth(font, legendOf(columns));
            if (columns.legend <= room) return columns;
        }
    columns.legend = 0.0;
    return columns;
}

LayerChart::Margins TimingLayersView::margins(const QSizeF& size) const {
    const Columns columns = columnsOf(size);
    const double right = columns.legend + columns.totals + (columns.legend > 0.0 ? kGap : 0.0) +
                         (columns.totals > 0.0 ? kGap : 0.0);
    return {labelWidth(ticks(size.height())), right, 4.0};
}

TimingLayersView::BarPlace TimingLayersView::barPlace(int layer, const QRectF& p) const {
    const double column = p.width() / std::max(1, layers());
    const double width = std::clamp(std::floor(column * 0.4), 1.0, kWidestBar);
    const double middle = std::round(xOf(layer, p));
    const double gap = column >= 8.0 ? 1.0 : 0.0;
    return {middle - width, middle + gap, width};
}

void TimingLayersView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF p = plotOf(canvas.size);
    paintValueAxis(canvas, scale(), ticks(canvas.size.height()));
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    paintBars(canvas, p);
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    const Columns columns = columnsOf(canvas.size);
    double x = p.right() + kGap;
    if (columns.legend > 0.0) {
        paintTimingLegend(canvas, {x, 0.0, columns.legend, canvas.size.height()},
                          legendOf(columns));
        x += columns.legend + kGap;
    }
    if (columns.totals > 0.0)
        paintTimingTotals(canvas, {x, 0.0, canvas.size.width() - x - 4.0, canvas.size.height()},
                          m_totals);
}

void TimingLayersView::paintBars(const ChartCanvas& canvas, const QRectF& p) const {
    const ValueScale y = scale();
    const auto stack = [&](const GroupMs& ms, double left, double width, bool hatched) {
        double below = 0.0;
        for (const trace::ZoneGroup group : kBarStack) {
            const double above = below + ms[at(group)];
            // Shared edges, so that neither gaps nor overlaps show between the pieces.
            const double top = std::round(y.y(above, p)), bottom = std::round(y.y(below, p));
            paintBar(canvas.painter, {left, top, width, bottom - top},
                     {canvas.colours.zones[at(group)], canvas.colours.base, hatched});
            below = above;
        }
    };
    for (std::size_t l = 0; l < m_bars.layers.size(); ++l) {
        const BarPlace place = barPlace(static_cast<int>(l), p);
        const LayerBars& bar = m_bars.layers[l];
        stack(bar.full, place.fullLeft, place.width, bar.fullState == trace::State::Preview);
        stack(bar.fastKv, place.fastKvLeft, place.width, bar.fastKvState == trace::State::Preview);
    }
}

QString TimingLayersView::describeLayer(int layer, Words words) const {
    const LayerBars& bar = m_bars.layers[static_cast<std::size_t>(layer)];
    const auto list = [words](const GroupMs& ms) -> QString {
        if (words == Words::Fewest) return {};
        QStringList parts;
        for (const trace::ZoneGroup group : kBarStack) {
            if (ms[at(group)] <= 0.0) continue;
            const QString value = formatSignificant(ms[at(group)]);
            // The colours say the rest, from the bottom of the bar to its top.
            parts << (words == Words::All ? QStringLiteral("%1 %2").arg(zoneGroupName(group), value)
                                          : value);
        }
        return QStringLiteral(" (%1)").arg(
            parts.join(words == Words::All ? QStringLiteral(", ") : QStringLiteral(" + ")));
    };
    return tr("layer %1 · full %2%3 · FastKV %4%5")
        .arg(QString::number(layer), withState(formatMs(sumOf(bar.full)), bar.fullState),
             list(bar.full), withState(formatMs(sumOf(bar.fastKv)), bar.fastKvState),
             list(bar.fastKv));
}

QString TimingLayersView::describeTotals(Words words) const {
    QStringList parts;
    if (m_totals.fullMs) parts << tr("prefill: full %1").arg(formatMs(*m_totals.fullMs));
    if (m_totals.fastKvMs)
        parts << tr("FastKV %1").arg(withState(formatMs(*m_totals.fastKvMs), m_totals.fastKvState));
    const auto speedup = [&](const QString& name, const Speedup& s) {
        QString text = QStringLiteral("%1 %2").arg(name, withState(formatRatio(s.ratio), s.state));
        if (s.bound)
            text += (words == Words::All ? tr(" of at most %1") : tr(" of %1"))
                        .arg(formatRatio(*s.bound));
        if (s.suspicious())
            text += (words == Words::All ? tr(": %1, more than the work allows")
                                         : QStringLiteral(": %1"))
                        .arg(checkWord(m_totals.clocksLimited));
        return text;
    };
    if (m_totals.composed && !(words == Words::Fewest && m_totals.standalone))
        parts << speedup(tr("speedup"), *m_totals.composed);
    if (m_totals.standalone) {
        parts << speedup(tr("alone"), *m_totals.standalone);
        if (words == Words::All)
            parts.last() += tr(" (n = %1 and %2)")
                                .arg(m_totals.standaloneFull.n)
                                .arg(m_totals.standaloneFastKv.n);
    }
    if (m_totals.fullWork.attention > 0.0 && words != Words::Fewest)
        parts << (words == Words::All ? tr("work done: %1 linear, %2 attention")
                                      : tr("work: %1 linear, %2 attention"))
                     .arg(formatPercent(m_totals.fastKvWork.linear() /
                                        std::max(1.0, m_totals.fullWork.linear())),
                          formatPercent(m_totals.fastKvWork.attention /
                                        m_totals.fullWork.attention));
    if (m_totals.captureMs && words == Words::All)
        parts << tr("capture %1 beside").arg(formatMs(*m_totals.captureMs));
    return parts.join(QStringLiteral(" · "));
}

QString TimingLayersView::tipAt(const QPointF& at) const {
    const Columns columns = columnsOf(size());
    const bool overTotals = columns.totals > 0.0 && at.x() >= width() - columns.totals;
    const bool bounded = (m_totals.composed && m_totals.composed->bound) ||
                         (m_totals.standalone && m_totals.standalone->bound);
    return overTotals && bounded ? boundTip(m_totals.floors.full ? m_totals.peaks : std::nullopt)
                                 : QString();
}

QString TimingLayersView::describe(Words words) const {
    if (m_bars.layers.empty()) return {};
    const bool pointed =
        context().selection.hover().layer >= 0 || context().selection.pinnedLayer() >= 0;
    return pointed ? describeLayer(readoutLayer(), words) : describeTotals(words);
}

QString TimingLayersView::readout() const {
    return describe(Words::All);
}

QStringList TimingLayersView::shorterReadouts() const {
    if (m_bars.layers.empty()) return {};
    return {describe(Words::Fewer), describe(Words::Fewest)};
}

QString TimingLayersView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "layer,zone_group,full_ms,full_state,fastkv_ms,fastkv_state,fastkv_least_ms\n";
    for (std::size_t l = 0; l < m_bars.layers.size(); ++l)
        for (const trace::ZoneGroup group : kBarStack) {
            const LayerBars& bar = m_bars.layers[l];
            out << l << ',' << QString::fromUtf8(trace::name(group).data()) << ','
                << bar.full[at(group)] << ',' << stateName(bar.fullState) << ','
                << bar.fastKv[at(group)] << ',' << stateName(bar.fastKvState) << ','
                << bar.least[at(group)] << '\n';
        }
    return text;
}

} // namespace fkv::viz
