// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/tables.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace fkv::trace {

namespace {

std::size_t cube(std::size_t ki, int l, int m, int layers) {
    const auto n = static_cast<std::size_t>(layers);
    return (ki * n + static_cast<std::size_t>(l)) * n + static_cast<std::size_t>(m);
}

/// The slice [width] of `values` [k, width] at `k`, interpolated.
std::vector<float> sliceAt(std::span<const float> values, const std::vector<std::int64_t>& ks,
                           std::size_t width, std::int64_t k) {
    if (ks.empty() || values.size() < ks.size() * width) return {};
    const TablePosition at = locate(ks, k);
    const auto low = values.subspan(at.lower * width, width);
    std::vector<float> out(low.begin(), low.end());
    if (at.weight == 0.0F) return out;
    const auto high = values.subspan((at.lower + 1) * width, width);
    for (std::size_t i = 0; i < width; ++i) out[i] += at.weight * (high[i] - low[i]);
    return out;
}

std::size_t squareOf(int layers) {
    return static_cast<std::size_t>(layers) * static_cast<std::size_t>(layers);
}

}  // namespace

float StabilizationTable::overlapAt(std::size_t ki, int l, int m) const {
    return overlap[cube(ki, l, m, layers)];
}

float StabilizationTable::recallAt(std::size_t ki, int l, int m) const {
    return recall[cube(ki, l, m, layers)];
}

TablePosition locate(const std::vector<std::int64_t>& ks, std::int64_t k) {
    if (ks.size() < 2 || k <= ks.front()) return {};
    if (k >= ks.back()) return {ks.size() - 2, 1.0F};
    const auto above = std::upper_bound(ks.begin(), ks.end(), k);
    const auto lower = static_cast<std::size_t>(above - ks.begin()) - 1;
    const double a = std::log(static_cast<double>(ks[lower]));
    const double b = std::log(static_cast<double>(ks[lower + 1]));
    return {lower, static_cast<float>((std::log(static_cast<double>(k)) - a) / (b - a))};
}

std::vector<float> overlapMap(const StabilizationTable& table, std::int64_t k) {
    return sliceAt(table.overlap, table.k, squareOf(table.layers), k);
}

std::vector<float> recallMap(const StabilizationTable& table, std::int64_t k) {
    return sliceAt(table.recall, table.k, squareOf(table.layers), k);
}

StabilizationCurves curvesAt(const StabilizationTable& table, std::int64_t k, std::int64_t scored) {
    StabilizationCurves curves;
    const auto layers = static_cast<std::size_t>(table.layers);
    const std::vector<float> overlap = overlapMap(table, k);
    const std::vector<float> recall = recallMap(table, k);
    curves.worstLaterRecall = sliceAt(table.worstRecall, table.k, layers, k);
    if (overlap.empty() || recall.empty() || curves.worstLaterRecall.empty()) return {};
    const double share = static_cast<double>(k) / static_cast<double>(std::max<std::int64_t>(scored, 1));
    curves.chance = static_cast<float>(std::clamp(share, 0.0, 1.0));

    const std::vector<float> nothing(layers, std::numeric_limits<float>::quiet_NaN());
    curves.nextOverlap = curves.leastLaterOverlap = curves.meanLaterRecall = nothing;
    curves.worstLaterRecall[layers - 1] = nothing.front();
    for (std::size_t l = 0; l + 1 < layers; ++l) {
        const auto later = std::span(overlap).subspan(l * layers + l + 1, layers - l - 1);
        curves.nextOverlap[l] = later.front();
        curves.leastLaterOverlap[l] = *std::min_element(later.begin(), later.end());
        double sum = 0.0;
        for (std::size_t m = l + 1; m < layers; ++m) sum += recall[l * layers + m];
        curves.meanLaterRecall[l] = static_cast<float>(sum / static_cast<double>(later.size()));
    }
    return curves;
}

float headMassAt(const HeadMassTable& table, std::int64_t k, int layer, int head) {
    const auto heads = static_cast<std::size_t>(table.kvHeads);
    const std::size_t width = static_cast<std::size_t>(table.layers) * heads;
    if (table.k.empty() || table.mass.size() < table.k.size() * width)
        return std::numeric_limits<float>::quiet_NaN();
    const TablePosition at = locate(table.k, k);
    const std::size_t i = at.lower * width + static_cast<std::size_t>(layer) * heads +
                          static_cast<std::size_t>(head);
    if (at.weight == 0.0F) return table.mass[i];
    return table.mass[i] + at.weight * (table.mass[i + width] - table.mass[i]);
}

}  // namespace fkv::trace
