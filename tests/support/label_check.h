// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"

#include <QString>

namespace fkv::testing {

/// What is wrong with the words of a picture, or empty: one that leaves it, one wider than its box,
/// two that overlap.
inline QString labelFault(const viz::ChartView& view) {
    const auto placed = view.placedTexts();
    const QFontMetricsF metrics(view.font());
    for (std::size_t i = 0; i < placed.size(); ++i) {
        const auto& a = placed[i];
        if (!QRectF(view.rect()).adjusted(-0.5, -0.5, 0.5, 0.5).contains(a.box))
            return QStringLiteral("\"%1\" leaves the picture").arg(a.text);
        for (std::size_t j = 0; j < i; ++j)
            if (a.box.adjusted(0, 2, 0, -2).intersects(placed[j].box.adjusted(0, 2, 0, -2)))
                return QStringLiteral("\"%1\" overlaps \"%2\"").arg(a.text, placed[j].text);
    }
    return {};
}

inline bool hasLabel(const viz::ChartView& view, const QString& text) {
    for (const auto& placed : view.placedTexts())
        if (placed.text.contains(text)) return true;
    return false;
}

} // namespace fkv::testing
