// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/run.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace fkv::viz {

/// What one layer of a prefill works on.
struct LayerRows {
    double queryRows = 0.0; ///< rows that go through query, attention, output projection and MLP
    double kvRows = 0.0;    ///< rows whose keys and values are computed
    double pairs = 0.0;     ///< query-key pairs under the causal mask
    double keys = 0.0;      ///< keys that selection scores
};
using PassRows = std::vector<LayerRows>; ///< [L]

/// The passes of SPEC sections 2 and 3. All rows in every layer:
PassRows fullRows(int layers, std::int64_t tokens);
/// what the instrument adds up: all rows up to layer t, T rows after it;
PassRows composedRows(const trace::Budgets& budgets);
/// the deployed path, which skips rows that nobody reads: full context computes the last layer for
/// the window alone, FastKV also layer t for the T `survivors` alone (ascending positions, unused
/// when off).
PassRows standaloneFullRows(const trace::Budgets& budgets);
PassRows standaloneRows(const trace::Budgets& budgets, std::span<const std::int32_t> survivors);

/// Floating-point operations, a multiply-add counted as two.
struct LayerFlop {
    double projections = 0.0; ///< q, k, v and output
    double mlp = 0.0;         ///< gate, up, down; 0 when the width is not known
    double attention = 0.0;   ///< scores and weighted values
    double linear() const { return projections + mlp; }
};
LayerFlop layerFlop(const trace::ModelInfo& model, const LayerRows& rows);
LayerFlop passFlop(const trace::ModelInfo& model, const PassRows& rows);

/// Milliseconds a unit of work cost in the full pass, by what grows alike; measured, so that the
/// widths that are not known do not matter.
struct ZoneRates {
    double kvOrQuery = 0.0; ///< per row of the q, k, v projections, all of it
    double out = 0.0;       ///< per query row
    double mlp = 0.0;       ///< per query row
    double attention = 0.0; ///< per pair
    double selection = 0.0; ///< per key
    double other = 0.0;     ///< per query row: norms, rotation
    double fixed = 0.0;     ///< ms outside layers: embedding, head
};
/// Nothing without spans of the full pass. Capture and checkpoints are left out.
std::optional<ZoneRates> zoneRates(const trace::Run& run);

/// Milliseconds of a pass at these rates, layer by layer and group by group: [L][ZoneGroup].
using GroupMs = std::array<double, static_cast<std::size_t>(trace::ZoneGroup::Count)>;
std::vector<GroupMs> costAt(const ZoneRates& rates, const trace::ModelInfo& model,
                            const PassRows& rows);
/// Sum of it and of what lies outside layers. `selecting`: the full-context pass selects nothing.
double totalCostAt(const ZoneRates& rates, const trace::ModelInfo& model, const PassRows& rows,
                   bool selecting);

} // namespace fkv::viz
