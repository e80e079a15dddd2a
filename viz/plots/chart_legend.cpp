// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/chart_legend.h"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace fkv::viz {
namespace {

constexpr double kSample = 16.0; ///< px of line before the name
constexpr double kGap = 4.0;

} // namespace

double endLabelWidth(const QFont& font, const std::vector<EndLabel>& labels, double most) {
    const QFontMetricsF metrics(font);
    double widest = 0.0;
    for (const EndLabel& label : labels)
        widest = std::max(widest, metrics.horizontalAdvance(label.text));
    return labels.empty() ? 0.0 : std::min(most, widest + kSample + 3.0 * kGap);
}

std::vector<double> spreadLabels(const std::vector<double>& centres, double height, double top,
                                 double bottom) {
    std::vector<std::size_t> order(centres.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return centres[a] < centres[b]; });
    std::vector<double> tops(centres.size());
    double free = top;
    for (const std::size_t i : order) {
        tops[i] = std::max(free, centres[i] - height / 2.0);
        free = tops[i] + height;
    }
    // Too low: push the last ones up again.
    double limit = bottom;
    for (auto at = order.rbegin(); at != order.rend(); ++at) {
        tops[*at] = std::min(tops[*at], limit - height);
        limit = tops[*at];
    }
    return tops;
}

void paintEndLabels(const ChartCanvas& canvas, const QRectF& column, std::vector<EndLabel> labels) {
    const double height = canvas.metrics().height() - 2.0;
    std::vector<double> centres;
    for (const EndLabel& label : labels)
        centres.push_back(std::isfinite(label.y) ? label.y : column.center().y());
    const std::vector<double> tops =
        spreadLabels(centres, height, column.top() - 2.0, column.bottom() + 2.0);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const double middle = tops[i] + height / 2.0;
        const double x = column.left() + kGap;
        canvas.painter.setPen(canvas.colours.text);
        const QRectF box(x + kSample + kGap, tops[i] - 1.0, column.right() - x - kSample - kGap,
                         height + 2.0);
        if (!canvas.texts.place(canvas.painter, box, Qt::AlignLeft | Qt::AlignVCenter,
                                labels[i].text))
            continue;
        canvas.painter.setPen(labels[i].pen);
        canvas.painter.drawLine(QPointF(x, middle), QPointF(x + kSample, middle));
    }
}

} // namespace fkv::viz
