// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_curves.h"

#include "viz/plots/chart_legend.h"
#include "viz/series/format.h"

#include <QPainter>
#include <QTextStream>
#include <array>
#include <cmath>
#include <limits>

namespace fkv::viz {
namespace {

struct CurveKind {
    std::vector<float> trace::StabilizationCurves::*values;
    bool recall;
    double width;
    Qt::PenStyle style;
};
constexpr std::array<CurveKind, 4> kCurves{{
    {&trace::StabilizationCurves::nextOverlap, false, 1.0, Qt::SolidLine},
    {&trace::StabilizationCurves::leastLaterOverlap, false, 2.5, Qt::SolidLine},
    {&trace::StabilizationCurves::meanLaterRecall, true, 1.5, Qt::SolidLine},
    {&trace::StabilizationCurves::worstLaterRecall, true, 1.5, Qt::DashLine},
}};

QString nameOf(std::size_t curve) {
    switch (curve) {
    case 0:
        return CurvesView::tr("next overlap");
    case 1:
        return CurvesView::tr("least overlap");
    case 2:
        return CurvesView::tr("mean recall");
    default:
        return CurvesView::tr("worst head");
    }
}

QPen penOf(const CurveKind& kind, const Palette& colours) {
    return QPen(kind.recall ? colours.fastkv : colours.text, kind.width, kind.style, Qt::FlatCap,
                Qt::RoundJoin);
}

} // namespace

QString missingTableText(const Shown& shown, bool withoutEnd) {
    const trace::RunPtr& run = shown.run();
    if (!run || !run->full) return {};
    if (run->scored() == 0)
        return ChartView::tr("The prompt is no longer than the window: no token is scored.");
    if (!run->full->tables) {
        const bool working =
            shown.phase() == Shown::Phase::Running || shown.phase() == Shown::Phase::Loading;
        return working ? ChartView::tr("Comparing layers…")
                       : ChartView::tr("Layers were not compared in this run. Run the prompt again "
                                       "to see the curves.");
    }
    if (run->full->tables->all.k.empty())
        return ChartView::tr("There is nothing to compare in this run.");
    if (withoutEnd && run->full->tables->withoutEnd.k.empty())
        return ChartView::tr("Without its last 64 tokens nothing of this prompt is left: switch "
                             "off “Without the end”.");
    return {};
}

CurvesView::CurvesView(const ViewContext& context, QWidget* parent)
    : LayerChart(context, {tr("Overlap and recall by layer"), true}, parent) {}

void CurvesView::setQuery(const TableQuery& query) {
    m_query = query;
}

void CurvesView::follow() {
    const trace::RunPtr& run = context().shown.run();
    const TableChoice choice =
        run ? chooseTable(*run, context().shown.derived(), m_query) : TableChoice{};
    const auto full = run ? run->full : nullptr;
    if (m_known && full == m_full && choice.table == m_choice.table && choice.k == m_choice.k)
        return;
    m_known = true;
    m_full = full;
    m_choice = choice;
    m_curves = choice.table ? trace::curvesAt(*choice.table, choice.k, choice.scored)
                            : trace::StabilizationCurves{};
    invalidate();
    Q_EMIT readoutChanged();
}

QString CurvesView::emptyText() const {
    return missingTableText(context().shown, m_query.withoutEnd);
}

std::vector<EndLabel> CurvesView::endLabels(const QRectF* plot) const {
    std::vector<EndLabel> labels;
    const ValueScale scale;
    for (std::size_t c = 0; c < kCurves.size(); ++c) {
        double y = std::numeric_limits<double>::quiet_NaN();
        for (const float value : m_curves.*kCurves[c].values)
            if (plot && std::isfinite(value)) y = scale.y(static_cast<double>(value), *plot);
        labels.push_back({y, nameOf(c), penOf(kCurves[c], colours())});
    }
    const double chance = static_cast<double>(m_curves.chance);
    labels.push_back(
        {plot ? scale.y(chance, *plot) : 0.0, tr("chance K / M"), QPen(colours().full, 1.0)});
    return labels;
}

LayerChart::Margins CurvesView::margins(const QSizeF& size) const {
    return {labelWidth({{0.0, QStringLiteral("0.5")}}),
            endLabelWidth(context().theme.smallFont(), endLabels(nullptr), size.width() * 0.32),
            5.0};
}

void CurvesView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF p = plotOf(canvas.size);
    const ValueScale scale;
    paintValueAxis(
        canvas, scale,
        {{1.0, QStringLiteral("1")}, {0.5, QStringLiteral("0.5")}, {0.0, QStringLiteral("0")}});
    const double chance = std::round(scale.y(static_cast<double>(m_curves.chance), p)) + 0.5;
    canvas.painter.setPen(QPen(canvas.colours.full, 1.0));
    canvas.painter.drawLine(QPointF(p.left(), chance), QPointF(p.right(), chance));
    for (const CurveKind& kind : kCurves) {
        const QPen pen = penOf(kind, canvas.colours);
        std::vector<QPointF> points;
        const std::vector<float>& values = m_curves.*kind.values;
        for (std::size_t l = 0; l < values.size(); ++l)
            points.emplace_back(xOf(static_cast<int>(l), p),
                                std::isfinite(values[l])
                                    ? scale.y(static_cast<double>(values[l]), p)
                                    : std::numeric_limits<double>::quiet_NaN());
        paintCurve(canvas.painter, points, pen);
        canvas.painter.setPen(Qt::NoPen);
        canvas.painter.setBrush(pen.color());
        const double radius = std::clamp(p.width() / std::max(1, layers()) * 0.16, 1.2, 2.2);
        for (const QPointF& point : points)
            if (std::isfinite(point.y())) canvas.painter.drawEllipse(point, radius, radius);
        canvas.painter.setBrush(Qt::NoBrush);
    }
    paintEndLabels(canvas, {p.right(), p.top(), canvas.size.width() - p.right(), p.height()},
                   endLabels(&p));
}

QString CurvesView::readout() const {
    if (!emptyText().isEmpty() || m_curves.nextOverlap.empty()) return {};
    const int layer = readoutLayer();
    const auto l = static_cast<std::size_t>(layer);
    QStringList parts{tr("layer %1").arg(layer), tr("K %1").arg(formatCount(m_choice.k))};
    if (l + 1 == m_curves.nextOverlap.size()) parts << tr("no later layer");
    for (std::size_t c = 0; c < kCurves.size(); ++c) {
        const float value = (m_curves.*kCurves[c].values)[l];
        if (std::isfinite(value))
            parts << QStringLiteral("%1 %2").arg(nameOf(c),
                                                 formatSignificant(static_cast<double>(value)));
    }
    parts << tr("chance %1").arg(formatSignificant(static_cast<double>(m_curves.chance)));
    if (!m_choice.exact) parts << tr("between tabled K");
    return parts.join(QStringLiteral(" · "));
}

QStringList CurvesView::shorterReadouts() const {
    if (!emptyText().isEmpty() || m_curves.nextOverlap.empty()) return {};
    const int layer = readoutLayer();
    const auto pair = [&](const QString& words, std::size_t first, int digits) -> QString {
        const float a = (m_curves.*kCurves[first].values)[static_cast<std::size_t>(layer)];
        const float b = (m_curves.*kCurves[first + 1].values)[static_cast<std::size_t>(layer)];
        if (!std::isfinite(a) || !std::isfinite(b)) return {};
        const auto number = [digits](float v) {
            return digits > 0 ? QString::number(static_cast<double>(v), 'f', digits)
                              : formatSignificant(static_cast<double>(v));
        };
        return words.arg(number(a), number(b));
    };
    const auto form = [&](const QString& k, int digits) {
        QStringList parts{tr("layer %1").arg(layer), k, pair(tr("overlap %1, least %2"), 0, digits),
                          pair(tr("recall %1, worst %2"), 2, digits)};
        parts.removeAll(QString());
        return parts.join(QStringLiteral(" · "));
    };
    const QString k = withState(formatCount(m_choice.k),
                                m_choice.exact ? trace::State::Exact : trace::State::Preview);
    return {form(tr("K %1").arg(k), 0), form({}, 2)};
}

QString CurvesView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "layer,k_tokens,scored_tokens,without_end,exact_at_k,overlap_next,overlap_least_later,"
           "recall_mean_later,recall_worst_head,chance\n";
    for (std::size_t l = 0; l < m_curves.nextOverlap.size(); ++l) {
        out << l << ',' << m_choice.k << ',' << m_choice.scored << ','
            << (m_query.withoutEnd ? 1 : 0) << ',' << (m_choice.exact ? 1 : 0);
        for (const CurveKind& kind : kCurves) {
            const float value = (m_curves.*kind.values)[l];
            out << ',';
            if (std::isfinite(value)) out << value;
        }
        out << ',' << m_curves.chance << '\n';
    }
    return text;
}

} // namespace fkv::viz
