// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/layer_chart.h"

#include "viz/series/axis_ticks.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kClickSlop = 4;
constexpr double kGrab = 5.0;    ///< px at either side of the line
constexpr double kHandle = 4.0;  ///< size of its handle
constexpr double kTickGap = 4.0; ///< between a label and the plot

QString axisName() {
    return LayerChart::tr("layer");
}

} // namespace

LayerChart::LayerChart(const ViewContext& context, const Options& options, QWidget* parent)
    : ChartView(context, options.name, parent), m_draggable(options.draggable) {
    const auto repaint = [this] { update(); };
    connect(&context.selection, &Selection::hoverChanged, this, repaint);
    connect(&context.selection, &Selection::pinnedChanged, this, repaint);
    connect(&context.settings, &SettingsModel::changed, this, repaint);
}

int LayerChart::layers() const {
    return context().shown.run() ? context().shown.run()->model.layers : 0;
}

void LayerChart::alignWith(const LayerChart* other) {
    if (other == m_aligned) return;
    m_aligned = other;
    update();
}

QRectF LayerChart::plotOf(const QSizeF& size) const {
    const QFontMetricsF metrics(context().theme.smallFont());
    Margins m = margins(size);
    if (m_aligned) {
        const Margins other = m_aligned->margins(size);
        m.left = std::max(m.left, other.left);
        m.right = std::max(m.right, other.right);
    }
    m.left = std::max(m.left, metrics.horizontalAdvance(axisName()) + 2.0 * kTickGap);
    return {QPointF(m.left, m.top),
            QSizeF(std::max(1.0, size.width() - m.left - m.right),
                   std::max(1.0, size.height() - m.top - metrics.height() - 2.0))};
}

double LayerChart::xOf(int layer, const QRectF& plot) const {
    return plot.left() + (layer + 0.5) * plot.width() / std::max(1, layers());
}

int LayerChart::layerAt(double x) const {
    const QRectF p = plot();
    if (layers() == 0 || x < p.left() || x >= p.right()) return -1;
    return std::min(layers() - 1, static_cast<int>((x - p.left()) / p.width() * layers()));
}

int LayerChart::readoutLayer() const {
    const int hovered = context().selection.hover().layer;
    return std::clamp(hovered >= 0 ? hovered : context().layer(), 0, std::max(0, layers() - 1));
}

double LayerChart::labelWidth(const ValueTicks& ticks) const {
    const QFontMetricsF metrics(context().theme.smallFont());
    double widest = 0.0;
    for (const auto& tick : ticks)
        widest = std::max(widest, metrics.horizontalAdvance(tick.second));
    return widest + kTickGap + 4.0;
}

void LayerChart::paintValueAxis(const ChartCanvas& canvas, const ValueScale& scale,
                                const ValueTicks& ticks) const {
    const QRectF p = plotOf(canvas.size);
    const double height = canvas.metrics().height();
    for (const auto& [value, label] : ticks) {
        const double y = std::round(scale.y(value, p)) + 0.5;
        canvas.painter.setPen(QPen(canvas.colours.gridLine, 1.0));
        canvas.painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
        canvas.painter.setPen(canvas.colours.mutedText);
        // The lowest label keeps clear of the row of layers.
        const double top = std::min(y - height / 2.0, p.bottom() - height + 2.0);
        canvas.texts.place(canvas.painter, {0.0, top, p.left() - kTickGap, height},
                           Qt::AlignRight | Qt::AlignVCenter, label);
    }
}

void LayerChart::paintOverlay(const ChartCanvas& canvas, bool interactive) const {
    if (layers() == 0) return;
    const QRectF p = plotOf(canvas.size);
    const Selection& selection = context().selection;
    const auto column = [&](int layer, const QPen& pen) {
        const double x = std::round(xOf(layer, p)) + 0.5;
        canvas.painter.setPen(pen);
        canvas.painter.drawLine(QPointF(x, p.top()), QPointF(x, p.bottom()));
    };
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    if (selection.pinnedLayer() >= 0 && selection.pinnedLayer() < layers())
        column(selection.pinnedLayer(), QPen(canvas.colours.text, 1.0, Qt::DotLine));
    if (interactive && selection.hover().layer >= 0 && selection.hover().layer < layers())
        column(selection.hover().layer,
               QPen(faded(canvas.colours.hover, canvas.colours.base, 0.5), 1.0));
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
    paintTspLine(canvas, p);
    paintLayerAxis(canvas, p);
}

void LayerChart::paintTspLine(const ChartCanvas& canvas, const QRectF& p) const {
    const trace::FatePtr& fate = context().shown.asked();
    const bool on = !fate || fate->budgets.tspOn;
    const double half = tspAtEdge() ? 0.5 * p.width() / layers() : 0.0;
    const double x = std::round(xOf(context().settings.settings().tspLayer, p) + half) + 0.5;
    canvas.painter.setPen(QPen(canvas.colours.tspLine, 1.5, on ? Qt::SolidLine : Qt::DashLine));
    canvas.painter.drawLine(QPointF(x, p.top()), QPointF(x, p.bottom()));
    if (!m_draggable) return;
    canvas.painter.setPen(Qt::NoPen);
    canvas.painter.setBrush(canvas.colours.tspLine);
    const double y = p.top() + kHandle;
    canvas.painter.drawPolygon(
        QPolygonF({{x - 1.5, y - kHandle}, {x - 1.5 - kHandle, y}, {x - 1.5, y + kHandle}}));
    canvas.painter.drawPolygon(
        QPolygonF({{x + 1.5, y - kHandle}, {x + 1.5 + kHandle, y}, {x + 1.5, y + kHandle}}));
    canvas.painter.setBrush(Qt::NoBrush);
}

void LayerChart::paintLayerAxis(const ChartCanvas& canvas, const QRectF& p) const {
    const QFontMetricsF metrics = canvas.metrics();
    const QRectF row(0.0, p.bottom() + 1.0, canvas.size.width(), metrics.height());
    const auto boxOf = [&](int layer, double width) {
        const double x = xOf(layer, p) - width / 2.0;
        return QRectF(std::clamp(x, 0.0, std::max(0.0, canvas.size.width() - width)), row.top(),
                      width, row.height());
    };
    const auto label = [&](int layer) {
        const QString text = QString::number(layer);
        canvas.texts.place(canvas.painter, boxOf(layer, metrics.horizontalAdvance(text) + 3.0),
                           Qt::AlignCenter, text);
    };
    // t is always named, then the pinned layer; the others where they fit.
    const trace::FatePtr& fate = context().shown.asked();
    const bool off = fate && !fate->budgets.tspOn;
    const int t = context().settings.settings().tspLayer;
    const int pinned = context().selection.pinnedLayer();
    const QString name = off ? tr("%1 off").arg(t) : QString::number(t);
    const QRectF pill = boxOf(t, metrics.horizontalAdvance(name) + 8.0);
    canvas.painter.setPen(Qt::NoPen);
    canvas.painter.setBrush(canvas.colours.tspLine);
    canvas.painter.drawRoundedRect(pill, 3.0, 3.0);
    canvas.painter.setBrush(Qt::NoBrush);
    canvas.painter.setPen(inkOn(canvas.colours.tspLine));
    canvas.texts.place(canvas.painter, pill, Qt::AlignCenter, name);
    canvas.texts.reserve(pill);
    canvas.painter.setPen(canvas.colours.text);
    if (pinned >= 0 && pinned < layers() && pinned != t) label(pinned);
    canvas.painter.setFont(canvas.font);
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.texts.place(canvas.painter, {2.0, row.top(), p.left() - 2.0, row.height()},
                       Qt::AlignLeft | Qt::AlignVCenter, axisName());
    const double widest = metrics.horizontalAdvance(QString::number(layers())) + 8.0;
    const int stride = labelStride(layers(), p.width(), widest);
    for (int l = 0; l < layers(); l += stride)
        if (l != t && l != pinned) label(l);
}

bool LayerChart::onLine(double x) const {
    return m_draggable && layers() > 0 &&
           std::fabs(x - xOf(context().settings.settings().tspLayer)) <= kGrab;
}

void LayerChart::moveLine(double x) {
    const QRectF p = plot();
    const double share = (x - p.left()) / p.width() * layers();
    trace::Settings settings = context().settings.settings();
    settings.tspLayer = std::clamp(static_cast<int>(std::floor(share)), 0, layers() - 1);
    context().settings.set(settings);
}

void LayerChart::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || layers() == 0)
        return ChartView::mousePressEvent(event);
    setFocus(Qt::MouseFocusReason);
    m_pressAt = event->pos();
    m_gesture = onLine(event->position().x()) ? Gesture::PressedLine : Gesture::Pressed;
}

void LayerChart::mouseMoveEvent(QMouseEvent* event) {
    const double x = event->position().x();
    if (m_gesture == Gesture::PressedLine &&
        (event->pos() - m_pressAt).manhattanLength() > kClickSlop) {
        m_gesture = Gesture::Line;
        context().settings.beginDrag();
    }
    if (m_gesture == Gesture::Line) return moveLine(x);
    if (m_gesture != Gesture::None) return;
    setCursor(onLine(x) ? Qt::SplitHCursor : Qt::ArrowCursor);
    Hover hover;
    hover.layer = layerAt(x);
    context().selection.setHover(hover);
}

void LayerChart::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return ChartView::mouseReleaseEvent(event);
    const Gesture gesture = std::exchange(m_gesture, Gesture::None);
    if (gesture == Gesture::Line) return context().settings.endDrag();
    const bool click = (event->pos() - m_pressAt).manhattanLength() <= kClickSlop;
    const int layer = layerAt(event->position().x());
    if (gesture != Gesture::None && click && layer >= 0) context().selection.pinLayer(layer);
}

void LayerChart::cancelDrag() {
    if (m_gesture == Gesture::Line) context().settings.cancelDrag();
    m_gesture = Gesture::None;
}

void LayerChart::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && m_gesture == Gesture::Line) return cancelDrag();
    ChartView::keyPressEvent(event);
}

void LayerChart::leaveEvent(QEvent* event) {
    if (m_gesture == Gesture::None) context().selection.clearHover();
    ChartView::leaveEvent(event);
}

void LayerChart::hideEvent(QHideEvent* event) {
    cancelDrag();
    ChartView::hideEvent(event);
}

} // namespace fkv::viz
