// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"

#include <QPen>
#include <vector>

namespace fkv::viz {

/// The name of a curve at its right end, with a sample of its pen.
struct EndLabel {
    double y = 0.0; ///< where the curve ends, in px; NaN: anywhere
    QString text;
    QPen pen;
};
/// Width of the widest label with its sample, at most `most`.
double endLabelWidth(const QFont& font, const std::vector<EndLabel>& labels, double most);
/// Writes the labels one below another in `column`, each as near to its curve's end as the others
/// let it.
void paintEndLabels(const ChartCanvas& canvas, const QRectF& column, std::vector<EndLabel> labels);
/// Tops of boxes of `height`, as near to the wanted centres as fits between top and bottom without
/// overlap, in the same order. Exposed for its test.
std::vector<double> spreadLabels(const std::vector<double>& centres, double height, double top,
                                 double bottom);

} // namespace fkv::viz
