// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_measured.h"

#include "viz/plots/chart_legend.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/describe.h"
#include "viz/series/format.h"

#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr ValueScale kScale{1e-4, 10.0, true}; ///< nats; smaller ones lie on the floor
constexpr double kOldInk = 0.5;                ///< of values that belong to other settings
constexpr double kVerdictGap = 3.0;

/// "1e-4", "0.05": short, for axes.
QString klLabel(double kl) {
    return kl >= 1e-3 ? QString::number(kl, 'g', 3) : formatKl(kl);
}

QColor inkOf(const QColor& ink, bool current, const Palette& colours) {
    return current ? ink : faded(ink, colours.base, kOldInk);
}

bool sameValues(const MeasuredLayer& a, const MeasuredLayer& b) {
    return a.settings == b.settings && a.firstKl == b.firstKl && a.meanKl == b.meanKl &&
           a.sameAnswer == b.sameAnswer && a.expectedHolds == b.expectedHolds;
}

void paintTick(QPainter& painter, const QPointF& at, double r, const QColor& ink) {
    painter.setPen(QPen(ink, 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPolyline(QPolygonF(
        {at + QPointF(-r, 0.1 * r), at + QPointF(-0.25 * r, 0.8 * r), at + QPointF(r, -0.8 * r)}));
}

} // namespace

MeasuredView::MeasuredView(const ViewContext& context, QWidget* parent)
    : LayerChart(context, {tr("Measured effect of TSP by layer"), true}, parent) {}

void MeasuredView::setKlLimit(double limit) {
    m_limit = limit;
    m_suggestion = suggestLayer(m_dots, m_limit, m_layers);
    invalidate();
    Q_EMIT readoutChanged();
}

void MeasuredView::follow() {
    const std::vector<MeasuredLayer>& measured = context().shown.derived().measured;
    const int count = layers();
    std::vector<MeasuredDot> dots = measuredDots(measured, context().settings.settings(), count);
    const bool same =
        count == m_layers && std::equal(dots.begin(), dots.end(), m_dots.begin(), m_dots.end(),
                                        [](const MeasuredDot& a, const MeasuredDot& b) {
                                            return a.layer == b.layer && a.current == b.current &&
                                                   sameValues(a.values, b.values);
                                        });
    if (same) return;
    m_layers = count;
    m_dots = std::move(dots);
    m_suggestion = suggestLayer(m_dots, m_limit, count);
    invalidate();
    Q_EMIT readoutChanged();
}

QString MeasuredView::emptyText() const {
    if (!m_dots.empty()) return {};
    if (context().shown.run() && context().shown.run()->recorded)
        return tr("No TSP layer was tried in this recording. Locate its model to try some.");
    return tr("No TSP layer was tried on this prompt yet. Move the TSP line: every rerun leaves a "
              "dot here.");
}

LayerChart::Margins MeasuredView::margins(const QSizeF& size) const {
    const QFontMetricsF metrics(context().theme.smallFont());
    Margins m{std::max(metrics.horizontalAdvance(QStringLiteral("0.001")),
                       metrics.horizontalAdvance(tr("answer"))) +
                  8.0,
              0.0, metrics.height() + kVerdictGap};
    const std::vector<EndLabel> labels{{0.0, tr("KL, first token"), {}},
                                       {0.0, tr("KL, mean of answer"), {}}};
    m.right = endLabelWidth(context().theme.smallFont(), labels, size.width() * 0.32);
    return m;
}

void MeasuredView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF p = plotOf(canvas.size);
    ValueTicks ticks;
    const int most = std::max(2, static_cast<int>(p.height() / (canvas.metrics().height() + 2.0)));
    for (const double kl : decadeTicks(kScale.atBottom, kScale.atTop, most))
        ticks.emplace_back(kl, klLabel(kl));
    paintValueAxis(canvas, kScale, ticks);
    paintLimit(canvas, p);
    paintVerdicts(canvas, p);
    paintDots(canvas, p);
}

void MeasuredView::paintLimit(const ChartCanvas& canvas, const QRectF& p) const {
    const double y = std::round(kScale.y(m_limit, p)) + 0.5;
    canvas.painter.setPen(QPen(canvas.colours.mutedText, 1.0, Qt::DashLine));
    canvas.painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
    if (!m_suggestion || m_suggestion->layer < 0) return;
    // A triangle on the axis; the sentence with its evidence stands in the readout.
    const double x = xOf(m_suggestion->layer, p), r = 5.0;
    canvas.painter.setPen(Qt::NoPen);
    canvas.painter.setBrush(canvas.colours.fastkv);
    canvas.painter.drawPolygon(
        QPolygonF({{x, p.bottom() - 2.0 * r}, {x - r, p.bottom()}, {x + r, p.bottom()}}));
    canvas.painter.setBrush(Qt::NoBrush);
}

void MeasuredView::paintVerdicts(const ChartCanvas& canvas, const QRectF& p) const {
    const double height = canvas.metrics().height();
    const double middle = height / 2.0;
    const double r = std::min(4.0, p.width() / std::max(1, layers()) * 0.3);
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.texts.place(canvas.painter, {0.0, 0.0, p.left() - 4.0, height},
                       Qt::AlignRight | Qt::AlignVCenter, tr("answer"));
    for (const MeasuredDot& dot : m_dots) {
        if (!dot.values.sameAnswer) continue;
        const QPointF at(xOf(dot.layer, p), middle);
        if (*dot.values.sameAnswer)
            paintTick(canvas.painter, at, r,
                      inkOf(canvas.colours.text, dot.current, canvas.colours));
        else
            paintMark(canvas.painter, ChartMark::Cross, at,
                      {inkOf(canvas.colours.lost, dot.current, canvas.colours), canvas.colours.base,
                       r * 0.8});
    }
}

void MeasuredView::paintDots(const ChartCanvas& canvas, const QRectF& p) const {
    for (const MeasuredDot& dot : m_dots) {
        const double x = xOf(dot.layer, p);
        const ChartMarkStyle style{inkOf(canvas.colours.fastkv, dot.current, canvas.colours),
                                   canvas.colours.base, 3.0};
        if (dot.values.meanKl)
            paintMark(canvas.painter, ChartMark::Hollow, {x, kScale.y(*dot.values.meanKl, p)},
                      style);
        paintMark(canvas.painter, ChartMark::Filled, {x, kScale.y(dot.values.firstKl, p)}, style);
    }
    // The legend: marks, not lines.
    const double height = canvas.metrics().height();
    const QString names[] = {tr("KL, first token"), tr("KL, mean of answer"),
                             tr("limit %1").arg(klLabel(m_limit))};
    for (int i = 0; i < 3; ++i) {
        const double y = p.top() + i * height;
        canvas.painter.setPen(canvas.colours.text);
        const QRectF box(p.right() + 24.0, y, canvas.size.width() - p.right() - 24.0, height);
        if (!canvas.texts.place(canvas.painter, box, Qt::AlignLeft | Qt::AlignVCenter, names[i]))
            continue;
        const QPointF at(p.right() + 12.0, y + height / 2.0);
        if (i < 2) {
            paintMark(canvas.painter, i == 0 ? ChartMark::Filled : ChartMark::Hollow, at,
                      {canvas.colours.fastkv, canvas.colours.base, 3.0});
        } else {
            canvas.painter.setPen(QPen(canvas.colours.mutedText, 1.0, Qt::DashLine));
            canvas.painter.drawLine(at - QPointF(8, 0), at + QPointF(8, 0));
        }
    }
    const QRectF rest(p.right() + 6.0, p.top() + 3.5 * height,
                      canvas.size.width() - p.right() - 8.0, p.height() - 3.5 * height + height);
    canvas.painter.setPen(canvas.colours.text);
    paintWrapped(canvas, rest, suggestionText());
}

/// What the answers are that a suggestion stands on.
QString MeasuredView::evidence() const {
    return context().settings.settings().sampling.greedy() ? tr("1 prompt")
                                                           : tr("1 prompt, sampled");
}

QString MeasuredView::suggestionText() const {
    if (!m_suggestion) return {};
    const QString tried = tr("%1 of %2 tried, %3")
                              .arg(m_suggestion->tried)
                              .arg(m_suggestion->possible)
                              .arg(evidence());
    const QString limit = klLabel(m_limit);
    if (m_suggestion->layer < 0)
        return tr("no tried layer keeps the answer with KL ≤ %1; %2").arg(limit, tried);
    return tr("layer %1: earliest tried layer that keeps the answer with KL ≤ %2; %3")
        .arg(QString::number(m_suggestion->layer), limit, tried);
}

bool MeasuredView::pointed() const {
    return context().selection.hover().layer >= 0 || context().selection.pinnedLayer() >= 0;
}

const MeasuredDot* MeasuredView::readoutDot() const {
    const int layer = readoutLayer();
    const auto dot = std::find_if(m_dots.begin(), m_dots.end(),
                                  [layer](const MeasuredDot& d) { return d.layer == layer; });
    return dot == m_dots.end() ? nullptr : &*dot;
}

QStringList MeasuredView::shorterReadouts() const {
    if (!emptyText().isEmpty()) return {};
    const QString limit = klLabel(m_limit);
    if (!pointed()) {
        if (!m_suggestion) return {};
        const QString tried =
            tr("%1 of %2 tried").arg(m_suggestion->tried).arg(m_suggestion->possible);
        if (m_suggestion->layer < 0)
            return {tr("none holds with KL ≤ %1 · %2, %3").arg(limit, tried, evidence()),
                    tr("none holds · %1").arg(tried)};
        const QString layer = QString::number(m_suggestion->layer);
        return {tr("layer %1 is the earliest that holds (KL ≤ %2) · %3, %4")
                    .arg(layer, limit, tried, evidence()),
                tr("earliest that holds: layer %1 · %2, %3").arg(layer, tried, evidence()),
                tr("holds from layer %1 · %2").arg(layer, tried)};
    }
    const MeasuredDot* dot = readoutDot();
    if (dot == nullptr) return {};
    const auto verdict = [](bool good) { return good ? QStringLiteral("✔") : QStringLiteral("✖"); };
    QString kl = tr("KL %1").arg(formatKl(dot->values.firstKl));
    if (dot->values.meanKl) kl += tr(", mean %1").arg(formatKl(*dot->values.meanKl));
    QStringList words{tr("TSP at %1").arg(dot->layer), kl}, signs = words;
    if (dot->values.sameAnswer) {
        words << (*dot->values.sameAnswer ? tr("same answer") : tr("another answer"));
        signs << verdict(*dot->values.sameAnswer) + tr(" same");
    }
    if (dot->values.expectedHolds) {
        words << (*dot->values.expectedHolds ? tr("expected holds") : tr("expected lost"));
        signs << verdict(*dot->values.expectedHolds) + tr(" expected");
    }
    if (!dot->current) words << tr("other settings");
    const QString separator = QStringLiteral(" · ");
    return {words.join(separator), signs.join(separator)};
}

QString MeasuredView::readout() const {
    if (!emptyText().isEmpty()) return {};
    if (!pointed()) return suggestionText();
    const int layer = readoutLayer();
    const MeasuredDot* dot = readoutDot();
    if (dot == nullptr) return tr("layer %1 · not tried").arg(layer);
    QStringList parts{tr("TSP at layer %1").arg(layer),
                      tr("KL first token %1").arg(formatKl(dot->values.firstKl))};
    if (dot->values.meanKl) parts << tr("mean of answer %1").arg(formatKl(*dot->values.meanKl));
    if (dot->values.sameAnswer)
        parts << (*dot->values.sameAnswer ? tr("same answer as full context")
                                          : tr("another answer than full context"));
    if (dot->values.expectedHolds)
        parts << (*dot->values.expectedHolds ? tr("expected answer holds")
                                             : tr("expected answer lost"));
    if (!dot->current) parts << tr("measured with %1").arg(describeDecoded(dot->values.settings));
    return parts.join(QStringLiteral(" · "));
}

QString MeasuredView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "tsp_layer,kl_first_token_nats,kl_mean_of_answer_nats,same_answer,expected_holds,"
           "settings\n";
    const auto flag = [](const std::optional<bool>& value) {
        return value ? QString::number(*value ? 1 : 0) : QString();
    };
    for (const MeasuredDot& dot : m_dots)
        out << dot.layer << ',' << dot.values.firstKl << ','
            << (dot.values.meanKl ? QString::number(*dot.values.meanKl) : QString()) << ','
            << flag(dot.values.sameAnswer) << ',' << flag(dot.values.expectedHolds) << ",\""
            << describeDecoded(dot.values.settings) << "\"\n";
    return text;
}

} // namespace fkv::viz
