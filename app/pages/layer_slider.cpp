// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/layer_slider.h"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <utility>

namespace fkv::app {

using viz::faded;

LayerSlider::LayerSlider(const viz::Theme& theme, QWidget* parent) : PaintedSlider(theme, parent) {}

void LayerSlider::setLayer(int layer) {
    if (take(layer)) valueChanged();
}

void LayerSlider::setStops(std::vector<Stop> stops) {
    if (stops == m_stops) return;
    m_stops = std::move(stops);
    update();
}

double LayerSlider::positionOf(int layer) const {
    return layers() > 1 ? static_cast<double>(layer) / (layers() - 1) : 0.5;
}

double LayerSlider::handlePosition() const {
    return m_layer >= 0 && m_layer < layers() ? positionOf(m_layer) : -1.0;
}

PaintedSlider::Reading LayerSlider::reading() const {
    QString text;
    if (m_layer >= 0 && m_layer < layers()) {
        const Stop& stop = m_stops[static_cast<std::size_t>(m_layer)];
        text = tr("layer %1 of 0 to %2").arg(m_layer).arg(layers() - 1);
        if (stop.held) text += tr(", checkpoint held");
        if (stop.known == Known::Holds) text += tr(", answer known to hold");
        if (stop.known == Known::Breaks) text += tr(", answer known to break");
    }
    return {static_cast<double>(m_layer), 0.0, static_cast<double>(std::max(layers() - 1, 0)), 1.0,
            text};
}

void LayerSlider::setReading(double value) {
    asGesture([this, value] {
        return take(std::clamp(static_cast<int>(std::lround(value)), 0, layers() - 1));
    });
}

bool LayerSlider::take(int layer) {
    if (layer == m_layer) return false;
    m_layer = layer;
    return true;
}

bool LayerSlider::takePosition(double position) {
    if (layers() == 0) return false;
    const double wanted = std::clamp(position, 0.0, 1.0) * (layers() - 1);
    return take(static_cast<int>(std::lround(wanted)));
}

bool LayerSlider::takeStep(SliderStep step) {
    if (layers() == 0) return false;
    const int page = std::max(2, layers() / 8);
    const int by = step == SliderStep::Down       ? -1
                   : step == SliderStep::Up       ? 1
                   : step == SliderStep::PageDown ? -page
                   : step == SliderStep::PageUp   ? page
                   : step == SliderStep::First    ? -layers()
                                                  : layers();
    return take(std::clamp(m_layer + by, 0, layers() - 1));
}

void LayerSlider::paintScale(QPainter& painter) const {
    paintNames(painter);
    painter.setRenderHint(QPainter::Antialiasing);
    paintStops(painter);
    paintKnown(painter);
    paintHandle(painter, theme().palette().tspLine);
}

void LayerSlider::paintStops(QPainter& painter) const {
    const viz::Palette& colours = theme().palette();
    painter.setPen(QPen(ink(colours.border), theme().scaled(2)));
    painter.drawLine(QPointF(xOf(0.0), trackY()), QPointF(xOf(1.0), trackY()));
    if (layers() == 0) return;
    const double gap = layers() > 1 ? trackWidth() / (layers() - 1) : trackWidth();
    const double r = std::clamp(gap * 0.3, 1.0, static_cast<double>(theme().scaled(3)));
    const QColor stroke = ink(colours.mutedText);
    for (int l = 0; l < layers(); ++l) {
        const bool held = m_stops[static_cast<std::size_t>(l)].held;
        painter.setPen(QPen(stroke, 1.2));
        painter.setBrush(held ? stroke : colours.window);
        painter.drawEllipse(QPointF(xOf(positionOf(l)), trackY()), r, r);
    }
}

void LayerSlider::paintKnown(QPainter& painter) const {
    const viz::Palette& colours = theme().palette();
    const double gap = layers() > 1 ? trackWidth() / (layers() - 1) : trackWidth();
    const double r = std::clamp(gap * 0.36, 1.2, static_cast<double>(theme().scaled(4)) * 0.85);
    const double y = theme().scaled(5);
    painter.setBrush(Qt::NoBrush);
    for (int l = 0; l < layers(); ++l) {
        const Known known = m_stops[static_cast<std::size_t>(l)].known;
        const double x = xOf(positionOf(l));
        const double width = std::min(r * 0.5, static_cast<double>(theme().scaled(3)) * 0.6);
        if (known == Known::Holds) {
            painter.setPen(
                QPen(ink(colours.fastkv), width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
            painter.drawPolyline(
                QPolygonF{{x - r, y}, {x - 0.25 * r, y + 0.8 * r}, {x + r, y - 0.8 * r}});
        } else if (known == Known::Breaks) {
            painter.setPen(QPen(ink(colours.lost), width, Qt::SolidLine, Qt::RoundCap));
            painter.drawLine(QPointF(x - 0.8 * r, y - 0.8 * r), QPointF(x + 0.8 * r, y + 0.8 * r));
            painter.drawLine(QPointF(x - 0.8 * r, y + 0.8 * r), QPointF(x + 0.8 * r, y - 0.8 * r));
        }
    }
}

void LayerSlider::paintNames(QPainter& painter) const {
    if (layers() == 0) return;
    painter.setFont(labelFont());
    const QFontMetrics metrics = painter.fontMetrics();
    const double gap = layers() > 1 ? trackWidth() / (layers() - 1) : trackWidth();
    const int widest = metrics.horizontalAdvance(QString::number(layers() - 1)) + theme().scaled(6);
    int every = 1;
    for (const int candidate : {1, 2, 4, 8, 16, 32, 64}) {
        every = candidate;
        if (candidate * gap >= widest) break;
    }
    const double textTop = height() - metrics.height() + metrics.descent() * 0.5;
    const auto name = [&](int layer, const QColor& color) {
        const QString text = QString::number(layer);
        const int width = metrics.horizontalAdvance(text);
        const double left = std::clamp(xOf(positionOf(layer)) - width / 2.0, 0.0,
                                       static_cast<double>(this->width() - width));
        painter.setPen(ink(color));
        painter.drawText(QPointF(left, textTop + metrics.ascent()), text);
    };
    // The chosen layer is always named; neighbours that would touch it are not.
    const bool chosen = m_layer >= 0 && m_layer < layers();
    for (int l = 0; l < layers(); l += every)
        if (!chosen || std::abs(l - m_layer) * gap >= widest) name(l, theme().palette().mutedText);
    if (chosen) name(m_layer, theme().palette().text);
}

} // namespace fkv::app
