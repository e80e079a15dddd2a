// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/tables.h"
#include "viz/state/shown.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fkv::viz {

/// How many best tokens the curves compare: as many as TSP takes by rank, or a fixed number.
struct TopK {
    enum class Mode { Tsp, Fixed };
    Mode mode = Mode::Tsp;
    std::int64_t fixed = 512;
    bool operator==(const TopK&) const = default;
};
/// K for a prompt of M scored tokens, in [1, M]; 0 when M is 0.
std::int64_t resolveTopK(const TopK& choice, const trace::Budgets& budgets, std::int64_t scored);

/// The table that answers at K: the exact one when it was computed for this K, else the run's table
/// of log-spaced K, to be interpolated. `table` is null while there is none.
struct TableChoice {
    const trace::StabilizationTable* table = nullptr;
    std::int64_t k = 0;      ///< clamped to the tokens of the table
    std::int64_t scored = 0; ///< M of the table
    bool exact = false;
};
struct TableQuery {
    std::int64_t k = 0;
    bool withoutEnd = false;
};
TableChoice chooseTable(const trace::Run& run, const Derived& derived, const TableQuery& query);

/// TSP tried at one layer. When it was tried under several settings, the present ones win, then the
/// newest. `current`: everything but the layer equals the present settings.
struct MeasuredDot {
    int layer = 0;
    MeasuredLayer values;
    bool current = false;
};
/// One dot a tried layer, ascending by layer; layers outside [0, layers) are left out.
std::vector<MeasuredDot> measuredDots(std::span<const MeasuredLayer> measured,
                                      const trace::Settings& present, int layers);

/// Earliest tried layer that keeps the answer with KL <= limit, the first token's and, where known,
/// the mean along the answer. Only dots under the present settings count.
struct LayerSuggestion {
    int layer = -1; ///< -1: tried, but none holds
    int tried = 0;
    int possible = 0; ///< layers where TSP changes anything: all but the last
};
/// Nothing without a single dot whose answer is known.
std::optional<LayerSuggestion> suggestLayer(std::span<const MeasuredDot> dots, double limit,
                                            int layers);

/// ASL's choice: the first layer >= least whose relative rank variance is below tau; -1 if none.
inline constexpr double kAslTau = 0.3;
inline constexpr int kAslLeastLayer = 10;
int aslLayer(std::span<const double> rankVariance);

} // namespace fkv::viz
