// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_tracked.h"

#include "viz/plots/chart_legend.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"

#include <QPainter>
#include <QTextStream>
#include <cmath>
#include <limits>

namespace fkv::viz {
namespace {

constexpr double kBandInk = 0.18;
constexpr int kLongestName = 24; ///< characters of a label

/// Two digits: a rank is no measurement.
QString percent(double share) {
    return share >= 0.995 ? QStringLiteral("100 %")
                          : QStringLiteral("%1 %").arg(QString::number(share * 100.0, 'g', 2));
}

QString nameOf(const Mark& mark, const trace::Run& run) {
    QString name = mark.name;
    if (name.isEmpty() && run.prompt)
        name = QString::fromStdString(run.prompt->tokenText(mark.tokens.begin)).simplified();
    if (name.size() > kLongestName) name = name.left(kLongestName - 1) + QStringLiteral("…");
    return QStringLiteral("%1 %2").arg(mark.number).arg(name);
}

} // namespace

TrackedView::TrackedView(const ViewContext& context, QWidget* parent)
    : LayerChart(context, {tr("Rank of tracked tokens by layer"), true}, parent) {}

void TrackedView::follow() {
    const trace::RunPtr& run = context().shown.run();
    const auto full = run ? run->full : nullptr;
    const std::int64_t cut = context().shown.fate() ? tspCut(context().shown.fate()->budgets) : 0;
    const bool sameSpans = full == m_full && context().selection.marks() == m_marks;
    if (sameSpans && cut == m_cut) return;
    if (!sameSpans) {
        m_full = full;
        m_marks = context().selection.marks();
        m_scored = run ? run->scored() : 0;
        m_items.clear();
        if (full)
            for (const Mark& mark : m_marks)
                m_items.push_back({mark, nameOf(mark, *run), trackSpan(*full, mark.tokens), {}});
    }
    m_cut = cut;
    for (Item& item : m_items)
        item.passing = passingTokens(*m_full, item.span, cut);
    invalidate();
    Q_EMIT readoutChanged();
}

QString TrackedView::emptyText() const {
    if (m_items.empty())
        return tr("Nothing is tracked yet. Select tokens in the text and press P, or hide a fact "
                  "in the prompt: "
                  "its rank at every layer is drawn here.");
    for (const Item& item : m_items)
        if (!item.span.layers.empty()) return {};
    return tr(
        "The tracked tokens lie in the window at the end: they have no rank and always pass.");
}

ChartMark TrackedView::Item::markAt(std::size_t layer) const {
    const std::int64_t pass = passing[layer] + span.tokens.size() - span.scored;
    if (pass == span.tokens.size()) return ChartMark::Filled;
    return pass > 0 ? ChartMark::Hollow : ChartMark::Cross;
}

ValueScale TrackedView::scale() const {
    return {1.0, 1.0 / static_cast<double>(std::max<std::int64_t>(m_scored, 2)), true};
}

LayerChart::ValueTicks TrackedView::ticks() const {
    ValueTicks ticks;
    for (const double share : decadeTicks(scale().atTop, 1.0, 6))
        ticks.emplace_back(share, share > 0.99 ? tr("all") : tr("top %1").arg(percent(share)));
    return ticks;
}

std::vector<EndLabel> TrackedView::endLabels(const QRectF* plot) const {
    std::vector<EndLabel> labels;
    for (const Item& item : m_items) {
        const double y = plot && !item.span.layers.empty()
                             ? scale().y(topShare(item.span.layers.back().median, m_scored), *plot)
                             : std::numeric_limits<double>::quiet_NaN();
        const QColor ink = colours().pins[static_cast<std::size_t>(item.mark.number - 1)];
        labels.push_back({y, item.name, QPen(ink, 2.0)});
    }
    const QString cut =
        m_cut >= m_scored
            ? tr("TSP off: all pass")
            : tr("TSP %1").arg(percent(static_cast<double>(m_cut) / static_cast<double>(m_scored)));
    labels.push_back({plot ? scale().y(cutShare(), *plot) : 0.0, cut, cutPen()});
    return labels;
}

LayerChart::Margins TrackedView::margins(const QSizeF& size) const {
    return {labelWidth(ticks()),
            endLabelWidth(context().theme.smallFont(), endLabels(nullptr), size.width() * 0.32),
            5.0};
}

void TrackedView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF p = plotOf(canvas.size);
    paintValueAxis(canvas, scale(), ticks());
    for (const Item& item : m_items)
        if (!item.span.layers.empty()) paintItem(canvas, p, item);
    paintCut(canvas, p);
    paintEndLabels(canvas, {p.right(), p.top(), canvas.size.width() - p.right(), p.height()},
                   endLabels(&p));
}

void TrackedView::paintItem(const ChartCanvas& canvas, const QRectF& p, const Item& item) const {
    const QColor ink = canvas.colours.pins[static_cast<std::size_t>(item.mark.number - 1)];
    QPolygonF band;
    std::vector<QPointF> medians;
    const auto point = [&](std::size_t l, std::uint32_t rank) {
        return QPointF(xOf(static_cast<int>(l), p), scale().y(topShare(rank, m_scored), p));
    };
    const std::size_t count = item.span.layers.size();
    for (std::size_t l = 0; l < count; ++l) {
        band << point(l, item.span.layers[l].best);
        medians.push_back(point(l, item.span.layers[l].median));
    }
    for (std::size_t l = count; l-- > 0;)
        band << point(l, item.span.layers[l].worst);
    if (item.span.scored > 1) {
        QColor fill = ink;
        fill.setAlphaF(static_cast<float>(kBandInk));
        canvas.painter.setPen(Qt::NoPen);
        canvas.painter.setBrush(fill);
        canvas.painter.drawPolygon(band);
        canvas.painter.setBrush(Qt::NoBrush);
    }
    paintCurve(canvas.painter, medians, QPen(ink, 1.5));
    const double radius =
        std::clamp(p.width() / std::max<double>(1.0, static_cast<double>(count)) * 0.25, 2.0, 3.5);
    for (std::size_t l = 0; l < count; ++l)
        paintMark(canvas.painter, item.markAt(l), medians[l], {ink, canvas.colours.base, radius});
}

double TrackedView::cutShare() const {
    // Between the last rank that passes and the first that does not.
    return (static_cast<double>(std::max<std::int64_t>(m_cut, 0)) + 0.5) /
           static_cast<double>(m_scored);
}

void TrackedView::paintCut(const ChartCanvas& canvas, const QRectF& p) const {
    const double y = std::round(scale().y(cutShare(), p)) + 0.5;
    canvas.painter.setPen(cutPen());
    canvas.painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
}

QPen TrackedView::cutPen() const {
    return QPen(colours().tspLine, 1.5, Qt::DashLine);
}

QString TrackedView::describe(const Item& item, std::size_t layer) const {
    if (item.span.layers.empty()) return tr("%1: in the window, always passes").arg(item.name);
    const TrackedLayer& at = item.span.layers[layer];
    const auto top = [&](std::uint32_t rank) { return percent(topShare(rank, m_scored)); };
    const std::int64_t pass = item.passing[layer] + item.span.tokens.size() - item.span.scored;
    if (item.span.tokens.size() == 1)
        return tr("%1: rank %2 (top %3), %4")
            .arg(item.name, formatCount(at.best), top(at.best),
                 pass > 0 ? tr("would pass") : tr("would not pass"));
    return tr("%1: %2 of %3 would pass, top %4 to %5 (ranks %6–%7, median %8)")
        .arg(item.name, formatCount(pass), formatCount(item.span.tokens.size()),
             percent(topShare(at.best, m_scored)), percent(topShare(at.worst, m_scored)),
             formatCount(at.best), formatCount(at.worst), formatCount(at.median));
}

QString TrackedView::readout() const {
    if (!emptyText().isEmpty()) return {};
    const int layer = readoutLayer();
    QStringList parts{tr("layer %1").arg(layer)};
    for (const Item& item : m_items)
        parts << describe(item, static_cast<std::size_t>(layer));
    return parts.join(QStringLiteral(" · "));
}

QStringList TrackedView::shorterReadouts() const {
    if (!emptyText().isEmpty()) return {};
    const int layer = readoutLayer();
    const auto l = static_cast<std::size_t>(layer);
    QStringList shares, counts, numbers;
    for (const Item& item : m_items) {
        const QString number = QString::number(item.mark.number);
        if (item.span.layers.empty()) {
            shares << tr("%1 always passes").arg(item.name);
            counts << tr("%1 all").arg(item.name);
            numbers << tr("%1: all").arg(number);
            continue;
        }
        const TrackedLayer& at = item.span.layers[l];
        const QString pass = QStringLiteral("%1/%2").arg(
            formatCount(item.passing[l] + item.span.tokens.size() - item.span.scored),
            formatCount(item.span.tokens.size()));
        QString from = percent(topShare(at.best, m_scored));
        from.chop(2); // the sign stands behind the other end
        const QString to = percent(topShare(at.worst, m_scored));
        shares << tr("%1 %2 pass, top %3–%4").arg(item.name, pass, from, to);
        counts << QStringLiteral("%1 %2").arg(item.name, pass);
        numbers << QStringLiteral("%1: %2").arg(number, pass);
    }
    const QString separator = QStringLiteral(" · ");
    const QString here = tr("layer %1").arg(layer) + separator;
    return {here + shares.join(separator), here + tr("would pass: ") + counts.join(separator),
            here + tr("would pass ") + numbers.join(separator)};
}

QString TrackedView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "layer,number,name,first_token,tokens,tokens_scored,rank_best,rank_median,rank_worst,"
           "scored_tokens,tokens_passing_if_tsp_here\n";
    for (const Item& item : m_items)
        for (std::size_t l = 0; l < item.span.layers.size(); ++l) {
            QString name = item.mark.name;
            name.replace(QLatin1Char('"'), QStringLiteral("\"\""))
                .replace(QLatin1Char('\n'), QLatin1Char(' '));
            const TrackedLayer& at = item.span.layers[l];
            out << l << ',' << item.mark.number << ",\"" << name << "\"," << item.span.tokens.begin
                << ',' << item.span.tokens.size() << ',' << item.span.scored << ',' << at.best
                << ',' << at.median << ',' << at.worst << ',' << m_scored << ','
                << item.passing[l] + item.span.tokens.size() - item.span.scored << '\n';
        }
    return text;
}

} // namespace fkv::viz
