// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_envelope.h"

#include "viz/series/importance.h"

#include <algorithm>

namespace fkv::viz {
namespace {

const trace::LayerFate& layerOf(const trace::Fate& fate, HeadPlace at) {
    return fate.layers[static_cast<std::size_t>(at.layer)];
}

/// Ranks of the tokens in `range` that arrive, in ascending order of position. Copies only where
/// the plane has tokens that do not arrive.
struct Arrived {
    std::vector<std::uint32_t> copy;
    RankRow row;
};

Arrived arrivedRanks(const trace::Fate& fate, HeadPlace at, TokenRange range) {
    const trace::LayerFate& layer = layerOf(fate, at);
    Arrived arrived;
    if (!layer.ranks || layer.ranks->empty()) return arrived;
    const auto ranks = layer.ranks->row(static_cast<std::size_t>(at.head));
    if (at.layer < fate.budgets.firstLate()) {
        arrived.row = {ranks, {}};
        return arrived;
    }
    const std::int64_t scored = fate.tokens() - fate.budgets.window;
    const TokenRange inside =
        survivorsIn(fate.survivors, {range.begin, std::min(range.end, scored)});
    const auto positions = std::span(fate.survivors)
                               .subspan(static_cast<std::size_t>(inside.begin),
                                        static_cast<std::size_t>(inside.size()));
    if (layer.compacted) {
        arrived.row = {ranks.subspan(static_cast<std::size_t>(inside.begin), positions.size()),
                       positions};
        return arrived;
    }
    arrived.copy.reserve(positions.size());
    for (const std::int32_t position : positions)
        arrived.copy.push_back(ranks[static_cast<std::size_t>(position)]);
    arrived.row = {arrived.copy, positions};
    return arrived;
}

} // namespace

HeadEnvelope makeEnvelope(const trace::Fate& fate, HeadPlace at, const PositionAxis& axis) {
    const trace::LayerFate& layer = layerOf(fate, at);
    HeadEnvelope envelope;
    envelope.at = at;
    envelope.ranked = layer.ranks ? static_cast<std::int64_t>(layer.ranks->cols()) : 0;
    envelope.fromRerun = layer.compacted;
    if (axis.cells() == 0) return envelope;
    // Cells at the borders may reach out of the visible range.
    const TokenRange reach{axis.tokensOf(0).begin, axis.tokensOf(axis.cells() - 1).end};
    const Arrived arrived = arrivedRanks(fate, at, reach);
    envelope.best = bestCells({&arrived.row, 1}, axis);
    return envelope;
}

EnvelopeFate fateOfEnvelope(const trace::Fate& fate, const HeadEnvelope& envelope,
                            const PositionAxis& axis) {
    const trace::LayerFate& layer = layerOf(fate, envelope.at);
    const std::uint32_t cut = layer.cut[static_cast<std::size_t>(envelope.at.head)];
    const bool all = keepsAllThatArrives(layer);
    EnvelopeFate cells;
    for (int cell = 0; cell < axis.cells(); ++cell) {
        const std::size_t i = envelope.best.at(0, cell);
        const bool any = i < envelope.best.token.size() && envelope.best.token[i] >= 0;
        cells.bestKept.push_back(any && (all || envelope.best.rank[i] < cut) ? 1 : 0);
        const TokenRange tokens = axis.tokensOf(cell);
        cells.kept.push_back(static_cast<std::int32_t>(keptIn(fate, envelope.at, tokens)));
        cells.arrived.push_back(
            static_cast<std::int32_t>(arrivedIn(fate, envelope.at.layer, tokens)));
    }
    return cells;
}

float cutImportance(const trace::Fate& fate, const HeadEnvelope& envelope) {
    const trace::LayerFate& layer = layerOf(fate, envelope.at);
    if (keepsAllThatArrives(layer) || envelope.ranked == 0) return -1.0F;
    const double cut = layer.cut[static_cast<std::size_t>(envelope.at.head)];
    return static_cast<float>(std::log10(static_cast<double>(envelope.ranked) / (cut + 0.5)));
}

std::int64_t bestTokenIn(const trace::Fate& fate, HeadPlace at, TokenRange range) {
    const Arrived arrived = arrivedRanks(fate, at, range);
    if (arrived.row.values.empty()) return -1;
    const bool whole = arrived.row.positions.empty();
    const auto begin = whole ? static_cast<std::size_t>(range.begin) : 0;
    const auto end = whole
                         ? std::min(static_cast<std::size_t>(range.end), arrived.row.values.size())
                         : arrived.row.values.size();
    if (begin >= end) return -1;
    const auto part = arrived.row.values.subspan(begin, end - begin);
    const auto best =
        static_cast<std::size_t>(std::min_element(part.begin(), part.end()) - part.begin());
    return whole ? static_cast<std::int64_t>(begin + best) : arrived.row.positions[best];
}

} // namespace fkv::viz
