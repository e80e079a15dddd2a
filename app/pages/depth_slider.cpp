// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/depth_slider.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace fkv::app {

DepthSlider::DepthSlider(const viz::Theme& theme, QWidget* parent) : PaintedSlider(theme, parent) {}

void DepthSlider::setDepth(double depth) {
    if (take(depth)) valueChanged();
}

void DepthSlider::setSnapped(double depth) {
    if (depth == m_snapped) return;
    m_snapped = depth;
    update();
}

bool DepthSlider::take(double depth) {
    const double clamped = std::isfinite(depth) ? std::clamp(depth, 0.0, 1.0) : 0.0;
    if (clamped == m_depth) return false;
    m_depth = clamped;
    return true;
}

PaintedSlider::Reading DepthSlider::reading() const {
    return {m_depth * 100.0, 0.0, 100.0, 1.0,
            tr("%1 % of the text in front").arg(std::lround(m_depth * 100.0))};
}

void DepthSlider::setReading(double value) {
    asGesture([this, value] { return take(value / 100.0); });
}

// Whole percents: what is read is what was chosen.
bool DepthSlider::takePosition(double position) {
    return take(std::round(position * 100.0) / 100.0);
}

bool DepthSlider::takeStep(SliderStep step) {
    const double now = std::round(m_depth * 100.0);
    switch (step) {
    case SliderStep::Down:
        return take((now - 1.0) / 100.0);
    case SliderStep::Up:
        return take((now + 1.0) / 100.0);
    case SliderStep::PageDown:
        return take((now - 10.0) / 100.0);
    case SliderStep::PageUp:
        return take((now + 10.0) / 100.0);
    case SliderStep::First:
        return take(0.0);
    case SliderStep::Last:
        return take(1.0);
    }
    return false;
}

void DepthSlider::paintScale(QPainter& painter) const {
    const viz::Palette& colours = theme().palette();
    painter.setFont(labelFont());
    const QFontMetrics metrics = painter.fontMetrics();
    const double top = trackY() + theme().scaled(5);
    const double baseline =
        height() - metrics.height() + metrics.descent() * 0.5 + metrics.ascent();
    for (const int percent : {0, 25, 50, 75, 100}) {
        const double x = std::floor(xOf(percent / 100.0));
        painter.fillRect(QRectF(x, top, 1.0, theme().scaled(3)), ink(colours.mutedText));
        const QString label = percent == 0     ? tr("start")
                              : percent == 100 ? tr("end")
                                               : QString::number(percent);
        const int wide = metrics.horizontalAdvance(label);
        painter.setPen(ink(colours.mutedText));
        painter.drawText(
            QPointF(std::clamp(x + 0.5 - wide / 2.0, 0.0, double(width() - wide)), baseline),
            label);
    }
    painter.setRenderHint(QPainter::Antialiasing);
    const double half = theme().scaled(2);
    painter.setPen(Qt::NoPen);
    painter.setBrush(ink(viz::faded(colours.text, colours.window, 0.22)));
    painter.drawRoundedRect(QRectF(xOf(0.0), trackY() - half, trackWidth(), 2.0 * half), half,
                            half);
    painter.setBrush(ink(colours.pins[0]));
    painter.drawRect(QRectF(std::floor(xOf(m_snapped)) - 0.5, trackY() - 3.5 * half,
                            theme().scaled(2), 7.0 * half));
    paintHandle(painter, colours.pins[0]);
}

} // namespace fkv::app
