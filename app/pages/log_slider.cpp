// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/log_slider.h"

#include <QPainter>
#include <cmath>
#include <limits>

namespace fkv::app {

using viz::faded;

LogSlider::LogSlider(Role role, const viz::Theme& theme, QWidget* parent)
    : PaintedSlider(theme, parent),
      m_role(role),
      m_rate(std::numeric_limits<double>::quiet_NaN()),
      m_ceiling(m_rate) {}

void LogSlider::setRate(double rate) {
    if (rate == m_rate || (std::isnan(rate) && std::isnan(m_rate))) return;
    m_rate = rate;
    valueChanged();
}

void LogSlider::setCeiling(double rate) {
    if (rate == m_ceiling || (std::isnan(rate) && std::isnan(m_ceiling))) return;
    m_ceiling = rate;
    update();
}

PaintedSlider::Reading LogSlider::reading() const {
    const bool known = !std::isnan(m_rate);
    const QString text = !known          ? QString()
                         : m_rate >= 1.0 ? tr("off, 100 %")
                                         : tr("%1 %").arg(percentText(m_rate));
    return {known ? m_rate * 100.0 : 0.0, kLeastRate * 100.0, 100.0, 0.01, text};
}

void LogSlider::setReading(double value) {
    if (value > 0.0 && value <= 100.0) asGesture([this, value] { return take(value / 100.0); });
}

double LogSlider::handlePosition() const {
    return std::isnan(m_rate) ? -1.0 : positionOfRate(m_rate);
}

bool LogSlider::take(double rate) {
    if (rate == m_rate) return false;
    m_rate = rate;
    return true;
}

bool LogSlider::takePosition(double position) {
    return take(rateForPointer(position, trackWidth()));
}

bool LogSlider::takeStep(SliderStep step) {
    return !std::isnan(m_rate) && take(steppedRate(m_rate, step));
}

void LogSlider::paintScale(QPainter& painter) const {
    paintTicks(painter);
    paintTrack(painter);
    paintHandle(painter,
                m_role == Role::TspRate ? theme().palette().tspLine : theme().palette().fastkv);
}

void LogSlider::paintTrack(QPainter& painter) const {
    const viz::Palette& colours = theme().palette();
    const double half = theme().scaled(2);
    const QRectF track(xOf(0.0), trackY() - half, trackWidth(), 2.0 * half);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(ink(faded(colours.text, colours.window, 0.22)));
    painter.drawRoundedRect(track, half, half);
    if (!std::isnan(m_ceiling) && m_ceiling < 1.0) {
        // Beyond what TSP passes late layers have no more to keep: the rest of the track is thin.
        const double x = xOf(positionOfRate(m_ceiling));
        painter.setBrush(colours.window);
        painter.drawRect(
            QRectF(x, track.top() - 1.0, xOf(1.0) - x + half + 1.0, track.height() + 2.0));
        painter.setBrush(ink(faded(colours.text, colours.window, 0.22)));
        painter.drawRect(QRectF(x, trackY() - 0.5 * half, xOf(1.0) - x, half));
        painter.setBrush(ink(colours.tspLine));
        painter.drawRect(
            QRectF(std::floor(x) - 0.5, trackY() - 3.0 * half, theme().scaled(2), 6.0 * half));
    }
    if (std::isnan(m_rate)) return;
    painter.setBrush(ink(m_role == Role::TspRate ? colours.tspLine : colours.fastkv));
    const double end = xOf(handlePosition());
    const bool over = !std::isnan(m_ceiling) && m_rate > m_ceiling;
    const double thick = over ? xOf(positionOfRate(m_ceiling)) : end;
    painter.drawRoundedRect(QRectF(track.left(), track.top(), thick - track.left(), track.height()),
                            half, half);
    if (over) painter.drawRect(QRectF(thick, trackY() - 0.5 * half, end - thick, half));
    if (m_rate < kLeastRate) {
        // Below the scale: an arrow says that the handle stands at its end only.
        const double r = handleRadius(), x = xOf(0.0) - r - 2.0;
        painter.drawPolygon(
            QPolygonF{{x, trackY() - 0.6 * r}, {x, trackY() + 0.6 * r}, {x - 0.6 * r, trackY()}});
    }
}

void LogSlider::paintTicks(QPainter& painter) const {
    const viz::Palette& colours = theme().palette();
    painter.setFont(labelFont());
    const QFontMetrics metrics = painter.fontMetrics();
    const double top = trackY() + theme().scaled(5);
    const double textTop = height() - metrics.height() + metrics.descent() * 0.5;
    double free = -1e9;
    const auto tick = [&](double position, const QString& label, bool important) {
        const double x = std::floor(xOf(position));
        painter.fillRect(QRectF(x, top, 1.0, theme().scaled(3)), ink(colours.mutedText));
        const int width = metrics.horizontalAdvance(label);
        const double left =
            std::clamp(x + 0.5 - width / 2.0, 0.0, static_cast<double>(this->width() - width));
        if (left < free && !important) return;
        painter.setPen(ink(colours.mutedText));
        painter.drawText(QPointF(left, textTop + metrics.ascent()), label);
        free = left + width + theme().scaled(4);
    };
    tick(0.0, QStringLiteral("0.5"), true);
    for (const double percent : kTickPercents) {
        if (percent >= 100.0) continue;
        tick(positionOfRate(percent / 100.0), QString::number(percent), false);
    }
    tick(1.0, tr("off"), true);
}

} // namespace fkv::app
