// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/work_model.h"

#include <algorithm>

namespace fkv::viz {

using trace::Zone;
using trace::ZoneGroup;

namespace {

/// Pairs of the rows [begin, end) with themselves and all rows before.
double causalPairs(std::int64_t begin, std::int64_t end) {
    const auto triangle = [](std::int64_t n) {
        return 0.5 * static_cast<double>(n) * (static_cast<double>(n) + 1.0);
    };
    return triangle(end) - triangle(begin);
}

LayerRows allRows(std::int64_t rows) {
    const auto n = static_cast<double>(rows);
    return {n, n, causalPairs(0, rows), n};
}

/// All rows give keys and values, only the last `queries` are read.
LayerRows lastRows(std::int64_t rows, std::int64_t queries) {
    const std::int64_t q = std::min(queries, rows);
    const auto n = static_cast<double>(rows);
    return {static_cast<double>(q), n, causalPairs(rows - q, rows), n};
}

/// Share of the q, k, v projections that is q.
double queryShare(const trace::ModelInfo& model) {
    const double heads = model.queryHeads + 2.0 * model.kvHeads;
    return heads > 0.0 ? model.queryHeads / heads : 1.0;
}

std::size_t at(ZoneGroup group) {
    return static_cast<std::size_t>(group);
}

} // namespace

PassRows fullRows(int layers, std::int64_t tokens) {
    return PassRows(static_cast<std::size_t>(std::max(0, layers)), allRows(tokens));
}

PassRows composedRows(const trace::Budgets& budgets) {
    PassRows rows;
    for (int l = 0; l < static_cast<int>(budgets.layers.size()); ++l)
        rows.push_back(allRows(l < budgets.firstLate() ? budgets.tokens : budgets.propagated));
    return rows;
}

PassRows standaloneFullRows(const trace::Budgets& budgets) {
    PassRows rows = fullRows(static_cast<int>(budgets.layers.size()), budgets.tokens);
    if (!rows.empty()) rows.back() = lastRows(budgets.tokens, budgets.window);
    return rows;
}

PassRows standaloneRows(const trace::Budgets& budgets, std::span<const std::int32_t> survivors) {
    PassRows rows = composedRows(budgets);
    if (rows.empty()) return rows;
    const auto t = static_cast<std::size_t>(budgets.tspLayer);
    if (budgets.tspOn && t < rows.size()) {
        rows[t].queryRows = static_cast<double>(survivors.size());
        rows[t].pairs = 0.0;
        for (const std::int32_t position : survivors)
            rows[t].pairs += position + 1.0;
    }
    const bool reduced = budgets.firstLate() < static_cast<int>(rows.size());
    rows.back() = lastRows(reduced ? budgets.propagated : budgets.tokens, budgets.window);
    return rows;
}

LayerFlop layerFlop(const trace::ModelInfo& model, const LayerRows& rows) {
    const double hidden = model.hidden;
    const double queries = static_cast<double>(model.queryHeads) * model.headDim;
    const double keysValues = 2.0 * model.kvHeads * model.headDim;
    LayerFlop flop;
    flop.projections = 2.0 * hidden * (2.0 * queries * rows.queryRows + keysValues * rows.kvRows);
    flop.mlp = 6.0 * hidden * model.intermediate * rows.queryRows;
    flop.attention = 4.0 * queries * rows.pairs;
    return flop;
}

LayerFlop passFlop(const trace::ModelInfo& model, const PassRows& rows) {
    LayerFlop sum;
    for (const LayerRows& layer : rows) {
        const LayerFlop flop = layerFlop(model, layer);
        sum.projections += flop.projections;
        sum.mlp += flop.mlp;
        sum.attention += flop.attention;
    }
    return sum;
}

std::optional<ZoneRates> zoneRates(const trace::Run& run) {
    ZoneRates ms;
    std::vector<std::int64_t> rowsOf(static_cast<std::size_t>(std::max(0, run.model.layers)));
    double measured = 0.0;
    for (const trace::Span& span : run.timing.spans) {
        if (span.pass != trace::PassKind::Full || span.zone == Zone::Layer ||
            span.zone == Zone::Pass || trace::isInstrument(span.zone))
            continue;
        const double took = static_cast<double>(span.durationNs()) * 1e-6;
        measured += took;
        const ZoneGroup group = trace::groupOf(span.zone);
        if (span.layer < 0 || static_cast<std::size_t>(span.layer) >= rowsOf.size()) {
            ms.fixed += took;
            continue;
        }
        if (span.zone == Zone::OutProj) rowsOf[static_cast<std::size_t>(span.layer)] += span.tokens;
        if (span.zone == Zone::Qkv)
            ms.kvOrQuery += took;
        else if (group == ZoneGroup::Projections)
            ms.out += took;
        else if (group == ZoneGroup::Mlp)
            ms.mlp += took;
        else if (group == ZoneGroup::Attention)
            ms.attention += took;
        else if (group == ZoneGroup::Selection)
            ms.selection += took;
        else
            ms.other += took;
    }
    if (measured <= 0.0) return std::nullopt;
    // An edited prompt runs the rows from the first change on; those saw every key before them.
    double rows = 0.0, pairs = 0.0;
    for (const std::int64_t ran : rowsOf) {
        const std::int64_t n = ran > 0 ? std::min(ran, run.tokens()) : run.tokens();
        rows += static_cast<double>(n);
        pairs += causalPairs(run.tokens() - n, run.tokens());
    }
    const double keys = static_cast<double>(run.tokens()) * static_cast<double>(rowsOf.size());
    if (rows <= 0.0) return std::nullopt;
    for (double* rate : {&ms.kvOrQuery, &ms.out, &ms.mlp, &ms.other})
        *rate /= rows;
    ms.attention /= pairs;
    ms.selection /= keys;
    return ms;
}

std::vector<GroupMs> costAt(const ZoneRates& rates, const trace::ModelInfo& model,
                            const PassRows& rows) {
    const double q = queryShare(model);
    std::vector<GroupMs> cost;
    for (const LayerRows& layer : rows) {
        GroupMs ms{};
        ms[at(ZoneGroup::Projections)] =
            rates.kvOrQuery * (q * layer.queryRows + (1.0 - q) * layer.kvRows) +
            rates.out * layer.queryRows;
        ms[at(ZoneGroup::Mlp)] = rates.mlp * layer.queryRows;
        ms[at(ZoneGroup::Attention)] = rates.attention * layer.pairs;
        ms[at(ZoneGroup::Selection)] = rates.selection * layer.keys;
        ms[at(ZoneGroup::Other)] = rates.other * layer.queryRows;
        cost.push_back(ms);
    }
    return cost;
}

double totalCostAt(const ZoneRates& rates, const trace::ModelInfo& model, const PassRows& rows,
                   bool selecting) {
    double total = rates.fixed;
    for (const GroupMs& layer : costAt(rates, model, rows)) {
        for (const double ms : layer)
            total += ms;
        if (!selecting) total -= layer[at(ZoneGroup::Selection)];
    }
    return total;
}

} // namespace fkv::viz
