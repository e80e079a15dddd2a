// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/axis_ticks.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {

double roundUp(double v) {
    if (!(v > 0.0) || !std::isfinite(v)) return 1.0;
    const double unit = std::pow(10.0, std::floor(std::log10(v)));
    for (const double step : {1.0, 2.0, 5.0})
        if (v <= step * unit * (1.0 + 1e-12)) return step * unit;
    return 10.0 * unit;
}

std::vector<double> linearTicks(double low, double high, int most) {
    std::vector<double> ticks;
    if (!(high > low) || !std::isfinite(low) || !std::isfinite(high) || most < 1) return ticks;
    double step = roundUp((high - low) / most);
    // An unlucky phase can leave one too many.
    while (std::floor(high / step + 1e-9) - std::ceil(low / step - 1e-9) + 1 > most)
        step = roundUp(step * 1.01);
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
        ticks.push_back(i * step);
    return ticks;
}

std::vector<double> decadeTicks(double low, double high, int most) {
    std::vector<double> ticks;
    if (!(low > 0.0) || !(high >= low) || !std::isfinite(high) || most < 1) return ticks;
    const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
    const int step = std::max(1, (last - first + most) / most);
    // Counted from the top, so that 100 % or 1 stays named.
    for (int e = last; e >= first; e -= step)
        ticks.push_back(std::pow(10.0, e));
    std::reverse(ticks.begin(), ticks.end());
    return ticks;
}

int labelStride(int count, double widthPx, double labelPx) {
    if (count <= 0 || widthPx <= 0.0) return 1;
    int stride = 1;
    while (stride < count && widthPx / count * stride < labelPx)
        stride *= 2;
    return stride;
}

} // namespace fkv::viz
