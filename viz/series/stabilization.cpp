// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/stabilization.h"

#include "viz/series/tracked_span.h"

#include <algorithm>

namespace fkv::viz {

std::int64_t resolveTopK(const TopK& choice, const trace::Budgets& budgets, std::int64_t scored) {
    if (scored <= 0) return 0;
    const std::int64_t k = choice.mode == TopK::Mode::Tsp ? tspCut(budgets) : choice.fixed;
    return std::clamp<std::int64_t>(k, 1, scored);
}

TableChoice chooseTable(const trace::Run& run, const Derived& derived, const TableQuery& query) {
    TableChoice choice;
    if (!run.full || !run.full->tables || query.k <= 0) return choice;
    const trace::Tables& tables = *run.full->tables;
    const trace::StabilizationTable& table = query.withoutEnd ? tables.withoutEnd : tables.all;
    if (table.k.empty()) return choice;
    choice.table = &table;
    choice.scored = table.k.back();
    choice.k = std::min(query.k, choice.scored);
    const auto& exact = query.withoutEnd ? derived.exactAtKWithoutEnd : derived.exactAtK;
    if (exact && exact->k.size() == 1 && exact->k.front() == choice.k &&
        exact->layers == table.layers) {
        choice.table = &*exact;
        choice.exact = true;
    } else {
        choice.exact = std::binary_search(table.k.begin(), table.k.end(), choice.k);
    }
    return choice;
}

std::vector<MeasuredDot> measuredDots(std::span<const MeasuredLayer> measured,
                                      const trace::Settings& present, int layers) {
    std::vector<MeasuredDot> dots;
    for (const MeasuredLayer& m : measured) {
        const int layer = m.settings.tspLayer;
        if (layer < 0 || layer >= layers) continue;
        trace::Settings moved = m.settings;
        moved.tspLayer = present.tspLayer;
        const MeasuredDot dot{layer, m, moved == present};
        const auto at = std::lower_bound(dots.begin(), dots.end(), layer,
                                         [](const MeasuredDot& d, int l) { return d.layer < l; });
        if (at == dots.end() || at->layer != layer)
            dots.insert(at, dot);
        else if (dot.current || !at->current)
            *at = dot;
    }
    return dots;
}

std::optional<LayerSuggestion> suggestLayer(std::span<const MeasuredDot> dots, double limit,
                                            int layers) {
    LayerSuggestion suggestion;
    suggestion.possible = std::max(0, layers - 1);
    for (const MeasuredDot& dot : dots) {
        if (!dot.current || !dot.values.sameAnswer || dot.layer >= suggestion.possible) continue;
        ++suggestion.tried;
        const bool close = dot.values.firstKl <= limit && dot.values.meanKl.value_or(0.0) <= limit;
        if (suggestion.layer < 0 && *dot.values.sameAnswer && close) suggestion.layer = dot.layer;
    }
    if (suggestion.tried == 0) return std::nullopt;
    return suggestion;
}

int aslLayer(std::span<const double> rankVariance) {
    for (std::size_t l = kAslLeastLayer; l < rankVariance.size(); ++l)
        if (rankVariance[l] < kAslTau) return static_cast<int>(l);
    return -1;
}

} // namespace fkv::viz
