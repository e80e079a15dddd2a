// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_mass.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fkv::viz {
namespace {

constexpr std::size_t kTableSteps = 64;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// Log-spaced K from 1 to `columns`, as the full pass' table has them.
std::vector<std::int64_t> logSpaced(std::int64_t columns) {
    std::vector<std::int64_t> ks;
    for (std::size_t i = 0; i < kTableSteps && columns > 0; ++i) {
        const double share = static_cast<double>(i) / (kTableSteps - 1);
        const std::int64_t k = std::llround(std::pow(static_cast<double>(columns), share));
        if (ks.empty() || k > ks.back()) ks.push_back(k);
    }
    return ks;
}

/// For every rank the first step whose K includes it.
std::vector<std::uint8_t> stepOfRank(const std::vector<std::int64_t>& ks, std::size_t columns) {
    std::vector<std::uint8_t> step(columns);
    std::size_t at = 0;
    for (std::size_t r = 0; r < columns; ++r) {
        while (at + 1 < ks.size() && static_cast<std::int64_t>(r) >= ks[at])
            ++at;
        step[r] = static_cast<std::uint8_t>(at);
    }
    return step;
}

/// Window sums of one KV head: the query heads of its group added up. Not finite counts as none.
void addGroup(const trace::WindowSums& sums, std::size_t heads, std::size_t head,
              std::vector<float>& out) {
    const std::size_t group = sums.heads() / heads;
    out.assign(sums.tokens(), 0.0F);
    std::vector<float> row(sums.tokens());
    for (std::size_t h = head * group; h < (head + 1) * group; ++h) {
        sums.row(h, row);
        for (std::size_t i = 0; i < row.size(); ++i)
            out[i] += std::isfinite(row[i]) ? row[i] : 0.0F;
    }
}

bool hasMass(const trace::LayerPlanes& planes) {
    return planes.ranks && planes.sums && !planes.ranks->empty() &&
           planes.sums->tokens() == planes.ranks->cols() &&
           planes.sums->heads() >= planes.ranks->rows() &&
           planes.sums->heads() % planes.ranks->rows() == 0;
}

/// As everywhere: of no mass at all nothing can be lost.
double shareOf(double part, double total) {
    return total > 0.0 ? std::min(part / total, 1.0) : 1.0;
}

float massOfBest(const trace::HeadMassTable& table, std::int64_t k, HeadPlace at) {
    return k == 0 ? 0.0F : trace::headMassAt(table, k, at.layer, at.head);
}

float tableMass(const trace::HeadMassTable& table, const trace::LayerFate& layer, HeadPlace at) {
    if (table.k.empty() || at.layer >= table.layers || at.head >= table.kvHeads) return kUnknown;
    return massOfBest(table, layer.cut[static_cast<std::size_t>(at.head)], at);
}

float previewMass(const MassSources& sources, const trace::Fate& fate, HeadPlace at) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    if (sources.full.k.empty() || !layer.levels) return kUnknown;
    const std::vector<std::uint32_t>& edges = layer.levels->edges();
    const std::size_t levels = layer.levels->count();
    const auto counts =
        std::span(layer.arrivedOn).subspan(static_cast<std::size_t>(at.head) * levels, levels);
    auto wanted = static_cast<double>(layer.kept - fate.budgets.window);
    double kept = 0.0, arrived = 0.0, below = 0.0;
    for (std::size_t i = 0; i < levels; ++i) {
        const double upTo = massOfBest(sources.full, edges[i + 1], at);
        const double ofOne = (upTo - below) / (edges[i + 1] - edges[i]);
        const double taken = std::min(wanted, static_cast<double>(counts[i]));
        kept += ofOne * taken;
        arrived += ofOne * counts[i];
        wanted -= taken;
        below = upTo;
    }
    return arrived > 0.0 ? static_cast<float>(shareOf(kept, arrived)) : kUnknown;
}

} // namespace

trace::HeadMassTable rerunMassTable(const trace::FastKvPass& pass, const std::stop_token& stop) {
    if (pass.late.empty() || !hasMass(pass.late.front())) return {};
    trace::HeadMassTable table;
    const std::size_t columns = pass.late.front().ranks->cols();
    const std::size_t heads = pass.late.front().ranks->rows();
    const std::size_t layers = pass.late.size();
    table.k = logSpaced(static_cast<std::int64_t>(columns));
    table.layers = static_cast<int>(layers);
    table.kvHeads = static_cast<int>(heads);
    table.mass.assign(table.k.size() * layers * heads, kUnknown);
    const std::vector<std::uint8_t> step = stepOfRank(table.k, columns);
    std::vector<float> mass;
    for (std::size_t l = 0; l < layers; ++l) {
        const trace::LayerPlanes& planes = pass.late[l];
        if (!hasMass(planes) || planes.ranks->cols() != columns || planes.ranks->rows() != heads)
            continue;
        for (std::size_t g = 0; g < heads; ++g) {
            if (stop.stop_requested()) return {};
            addGroup(*planes.sums, heads, g, mass);
            const auto ranks = planes.ranks->row(g);
            std::vector<double> sums(table.k.size(), 0.0);
            for (std::size_t i = 0; i < columns; ++i)
                if (ranks[i] < columns) sums[step[ranks[i]]] += mass[i];
            for (std::size_t k = 1; k < sums.size(); ++k)
                sums[k] += sums[k - 1];
            for (std::size_t k = 0; k < sums.size(); ++k)
                table.mass[(k * layers + l) * heads + g] =
                    static_cast<float>(shareOf(sums[k], sums.back()));
        }
    }
    return table;
}

std::vector<float> keptMass(const trace::Fate& fate, const MassSources& sources) {
    std::vector<float> mass;
    for (int l = 0; l < static_cast<int>(fate.layers.size()); ++l) {
        const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(l)];
        const int firstLate = fate.budgets.firstLate();
        for (int g = 0; g < static_cast<int>(layer.cut.size()); ++g) {
            if (keepsAllThatArrives(layer))
                mass.push_back(1.0F);
            else if (layer.compacted)
                mass.push_back(tableMass(sources.rerun, layer, {l - firstLate, g}));
            else if (l >= firstLate)
                mass.push_back(previewMass(sources, fate, {l, g}));
            else
                mass.push_back(tableMass(sources.full, layer, {l, g}));
        }
    }
    return mass;
}

double exactKeptMass(const trace::Run& run, const trace::Fate& fate, HeadPlace at) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    if (keepsAllThatArrives(layer)) return 1.0;
    const trace::LayerPlanes& planes = decidingPlanes(run, fate, at.layer);
    if (!hasMass(planes)) return kUnknown;
    std::vector<float> mass;
    const auto g = static_cast<std::size_t>(at.head);
    addGroup(*planes.sums, planes.ranks->rows(), g, mass);
    const auto ranks = planes.ranks->row(g);
    const bool sieved = at.layer >= fate.budgets.firstLate() && !layer.compacted;
    double kept = 0.0, arrived = 0.0;
    for (std::size_t i = 0; i < mass.size(); ++i) {
        if (sieved && !fate.passes.has(static_cast<std::int64_t>(i))) continue;
        arrived += mass[i];
        if (ranks[i] < layer.cut[g]) kept += mass[i];
    }
    return shareOf(kept, arrived);
}

HeadPlace worstHead(const std::vector<float>& mass, int heads) {
    HeadPlace worst;
    float least = 1.0F;
    for (std::size_t i = 0; i < mass.size(); ++i) {
        if (!(mass[i] < least)) continue;
        least = mass[i];
        worst = {static_cast<int>(i) / heads, static_cast<int>(i) % heads};
    }
    return worst;
}

} // namespace fkv::viz
