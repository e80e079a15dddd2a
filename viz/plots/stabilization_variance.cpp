// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_variance.h"

#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"
#include "viz/series/stabilization.h"

#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

bool sameNumbers(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
        return x == y || (std::isnan(x) && std::isnan(y));
    });
}

} // namespace

RankVarianceView::RankVarianceView(const ViewContext& context, QWidget* parent)
    : LayerChart(context, {tr("Rank variance by layer"), true}, parent) {}

void RankVarianceView::follow() {
    const std::vector<double>& variance = context().shown.derived().rankVariance;
    if (sameNumbers(variance, m_variance) && m_layers == layers()) return;
    m_variance = variance;
    m_layers = layers();
    invalidate();
    Q_EMIT readoutChanged();
}

QString RankVarianceView::emptyText() const {
    if (std::any_of(m_variance.begin(), m_variance.end(),
                    [](double v) { return std::isfinite(v); }))
        return {};
    if (!m_variance.empty())
        return tr(
            "Rank variance looks back over 4 layers: this model or prompt is too short for it.");
    const Shown::Phase phase = context().shown.phase();
    if (phase == Shown::Phase::Running || phase == Shown::Phase::Loading)
        return tr("Comparing ranks across layers…");
    return tr("Rank variance is not known for this run. Run the prompt again to see it.");
}

ValueScale RankVarianceView::scale() const {
    double most = 1.0;
    for (const double v : m_variance)
        if (std::isfinite(v)) most = std::max(most, v);
    return {0.0, most > 1.0 ? roundUp(most) : 1.0, false};
}

LayerChart::ValueTicks RankVarianceView::ticks() const {
    ValueTicks ticks;
    for (const double v : linearTicks(0.0, scale().atTop, 4))
        ticks.emplace_back(v, QString::number(v, 'g', 3));
    return ticks;
}

LayerChart::Margins RankVarianceView::margins(const QSizeF&) const {
    return {labelWidth(ticks()), 10.0, 5.0};
}

void RankVarianceView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF p = plotOf(canvas.size);
    paintValueAxis(canvas, scale(), ticks());
    paintReference(canvas, p);
    std::vector<QPointF> points;
    for (std::size_t l = 0; l < m_variance.size(); ++l)
        points.emplace_back(xOf(static_cast<int>(l), p), std::isnan(m_variance[l])
                                                             ? m_variance[l]
                                                             : scale().y(m_variance[l], p));
    paintCurve(canvas.painter, points, QPen(canvas.colours.text, 1.5));
    for (std::size_t l = 0; l < points.size(); ++l)
        if (std::isfinite(points[l].y()))
            paintMark(canvas.painter, ChartMark::Filled, points[l],
                      {canvas.colours.text, canvas.colours.base, 2.0});
    const int chosen = aslLayer(m_variance);
    if (chosen < 0) return;
    const QPointF at = points[static_cast<std::size_t>(chosen)];
    paintMark(canvas.painter, ChartMark::Hollow, at,
              {canvas.colours.text, canvas.colours.base, 5.0});
    const QString text = tr("ASL picks %1").arg(chosen);
    const double width = canvas.metrics().horizontalAdvance(text) + 2.0;
    const double height = canvas.metrics().height();
    // Above the falling curve, at its right while there is room.
    const double left = std::min(at.x() + 8.0, canvas.size.width() - width);
    canvas.painter.setPen(canvas.colours.text);
    canvas.texts.place(canvas.painter, {left, at.y() - height - 1.0, width, height},
                       Qt::AlignLeft | Qt::AlignVCenter, text);
}

void RankVarianceView::paintReference(const ChartCanvas& canvas, const QRectF& p) const {
    const double height = canvas.metrics().height();
    const double y = std::round(scale().y(kAslTau, p)) + 0.5;
    const QPen pen(canvas.colours.full, 1.0, Qt::DashLine);
    canvas.painter.setPen(pen);
    canvas.painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.texts.place(canvas.painter, {p.left() + 4.0, y - height, p.width() - 8.0, height},
                       Qt::AlignLeft | Qt::AlignVCenter, tr("ASL: τ %1").arg(kAslTau));
    if (kAslLeastLayer >= layers()) return;
    const double x = std::round(xOf(kAslLeastLayer, p) - 0.5 * p.width() / layers()) + 0.5;
    canvas.painter.setPen(pen);
    canvas.painter.drawLine(QPointF(x, p.top()), QPointF(x, p.bottom()));
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.texts.place(canvas.painter, {x + 4.0, p.top(), p.right() - x - 4.0, height},
                       Qt::AlignLeft | Qt::AlignVCenter, tr("ASL: L_min %1").arg(kAslLeastLayer));
}

QString RankVarianceView::readout() const {
    if (!emptyText().isEmpty()) return {};
    const int layer = readoutLayer();
    QStringList parts{tr("layer %1").arg(layer)};
    const double v = static_cast<std::size_t>(layer) < m_variance.size()
                         ? m_variance[static_cast<std::size_t>(layer)]
                         : std::nan("");
    parts << (std::isnan(v) ? tr("no variance: it looks back over 4 layers")
                            : tr("rank variance %1 of the first").arg(formatSignificant(v)));
    const int chosen = aslLayer(m_variance);
    parts
        << (chosen < 0
                ? tr("ASL (τ %1, from layer %2 on) finds no layer").arg(kAslTau).arg(kAslLeastLayer)
                : tr("ASL (τ %1, from layer %2 on) picks layer %3")
                      .arg(kAslTau)
                      .arg(kAslLeastLayer)
                      .arg(chosen));
    return parts.join(QStringLiteral(" · "));
}

QStringList RankVarianceView::shorterReadouts() const {
    if (!emptyText().isEmpty()) return {};
    const int layer = readoutLayer(), chosen = aslLayer(m_variance);
    const double v = static_cast<std::size_t>(layer) < m_variance.size()
                         ? m_variance[static_cast<std::size_t>(layer)]
                         : std::nan("");
    const QString here = tr("layer %1 · %2")
                             .arg(QString::number(layer),
                                  std::isnan(v) ? tr("no variance yet")
                                                : tr("variance %1").arg(formatSignificant(v)));
    const QString picks = chosen < 0 ? tr("finds none") : tr("picks %1").arg(chosen);
    return {
        tr("%1 · ASL (τ %2, layer ≥ %3) %4").arg(here).arg(kAslTau).arg(kAslLeastLayer).arg(picks),
        tr("%1 · ASL %2").arg(here, picks)};
}

QString RankVarianceView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "layer,rank_variance_relative_to_first,asl_tau,asl_least_layer\n";
    for (std::size_t l = 0; l < m_variance.size(); ++l) {
        out << l << ',';
        if (std::isfinite(m_variance[l])) out << m_variance[l];
        out << ',' << kAslTau << ',' << kAslLeastLayer << '\n';
    }
    return text;
}

} // namespace fkv::viz
