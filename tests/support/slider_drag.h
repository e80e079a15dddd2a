// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/log_slider.h"
#include "app/window/main_window.h"

#include <QApplication>
#include <QList>
#include <QMouseEvent>
#include <algorithm>

namespace fkv::testing {

/// The rate sliders from the top of the settings page: TSP rate, KV budget.
enum class RateSlider : std::uint8_t { Tsp, Kv };
inline QWidget* rateSlider(app::MainWindow& window, RateSlider which) {
    QList<app::LogSlider*> sliders = window.findChildren<app::LogSlider*>();
    std::sort(sliders.begin(), sliders.end(), [&](QWidget* a, QWidget* b) {
        return a->mapTo(&window, QPoint()).y() < b->mapTo(&window, QPoint()).y();
    });
    return sliders.value(static_cast<int>(which));
}

/// A mouse event of the left button at a share of a slider's track.
inline void sendMouse(QWidget* slider, QEvent::Type type, double share) {
    constexpr double kMargin = 8.0;
    const QPointF at(kMargin + share * (slider->width() - 2.0 * kMargin), slider->height() * 0.4);
    const Qt::MouseButtons held =
        type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton;
    const Qt::MouseButton button = type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton;
    QMouseEvent event(type, at, slider->mapToGlobal(at), button, held, Qt::NoModifier);
    QApplication::sendEvent(slider, &event);
}

} // namespace fkv::testing
