// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/log_scale.h"

#include <algorithm>
#include <cmath>

namespace fkv::app {
namespace {

constexpr double kSnapPx = 4.0;

double decades() {
    return std::log(1.0 / kLeastRate);
}

/// `percent` rounded to a multiple of the power of ten that is at most `unit`, as a rate. Dividing
/// a whole number keeps 20 % the same double as a typed 20 %.
double roundedRate(double percent, double unit) {
    const int digits = std::clamp(static_cast<int>(-std::floor(std::log10(unit))), 0, 6);
    const double scale = std::pow(10.0, digits);
    return std::clamp(std::round(percent * scale) / scale / 100.0, kLeastRate, 1.0);
}

} // namespace

double positionOfRate(double rate) {
    if (!(rate > kLeastRate)) return 0.0;
    return std::min(std::log(rate / kLeastRate) / decades(), 1.0);
}

double rateAtPosition(double position) {
    if (!(position > 0.0)) return kLeastRate;
    if (position >= 1.0) return 1.0;
    return kLeastRate * std::exp(position * decades());
}

double rateForPointer(double position, double trackPx) {
    const double px = std::max(trackPx, 1.0);
    for (const double tick : kTickPercents)
        if (std::fabs(positionOfRate(tick / 100.0) - position) * px <= kSnapPx) return tick / 100.0;
    if (position * px <= kSnapPx) return kLeastRate;
    const double percent = rateAtPosition(position) * 100.0;
    return roundedRate(percent, percent * decades() / px);
}

double steppedRate(double rate, SliderStep step) {
    const double percent = rate * 100.0;
    const double slack = 1e-9 * percent; // a tick reached by division is that tick
    switch (step) {
    case SliderStep::First:
        return kLeastRate;
    case SliderStep::Last:
        return 1.0;
    case SliderStep::PageUp:
        for (const double tick : kTickPercents)
            if (tick > percent + slack) return tick / 100.0;
        return 1.0;
    case SliderStep::PageDown:
        for (auto tick = kTickPercents.rbegin(); tick != kTickPercents.rend(); ++tick)
            if (*tick < percent - slack) return *tick / 100.0;
        return std::min(rate, kLeastRate);
    case SliderStep::Down:
        if (rate <= kLeastRate) return rate; // a typed rate below the scale
        break;
    case SliderStep::Up:
        break;
    }
    // Going down from 10 the step is that of 9.9: the same values are met both ways.
    const double reference = step == SliderStep::Up ? percent + slack : percent * 0.999;
    const double decade = std::pow(10.0, std::floor(std::log10(std::max(reference, 0.01))));
    const double unit = reference / decade < 5.0 ? decade / 10.0 : decade / 5.0;
    const double units = percent / unit;
    const double next =
        step == SliderStep::Up ? std::floor(units + 1e-6) + 1.0 : std::ceil(units - 1e-6) - 1.0;
    // Divided, not multiplied: 1.1 and not 1.1000000000000001.
    const double inverse = std::round(1.0 / unit * 100.0) / 100.0;
    return std::clamp(next / (inverse * 100.0), kLeastRate, 1.0);
}

QString percentText(double rate) {
    return QString::number(rate * 100.0, 'g', 6);
}

} // namespace fkv::app
