// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_counts.h"

#include <algorithm>

namespace fkv::viz {
namespace {

std::int64_t countBelow(std::span<const std::uint32_t> ranks, std::uint32_t cut) {
    std::int64_t below = 0;
    for (const std::uint32_t rank : ranks)
        below += rank < cut ? 1 : 0;
    return below;
}

std::span<const std::uint32_t> part(std::span<const std::uint32_t> row, TokenRange range) {
    return row.subspan(static_cast<std::size_t>(range.begin),
                       static_cast<std::size_t>(range.size()));
}

TokenRange cutTo(TokenRange range, std::int64_t begin, std::int64_t end) {
    return {std::max(range.begin, begin), std::min(range.end, end)};
}

/// Calls visit(position) for every scored position that the head keeps, ascending.
template <class Visit>
void forEachKept(const trace::Fate& fate, HeadPlace at, Visit visit) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    const std::int64_t scored = fate.tokens() - fate.budgets.window;
    const bool late = at.layer >= fate.budgets.firstLate();
    const bool whole = keepsAllThatArrives(layer);
    const auto g = static_cast<std::size_t>(at.head);
    const auto row = whole ? std::span<const std::uint32_t>() : layer.ranks->row(g);
    const std::uint32_t cut = layer.cut[g];
    if (!late) {
        for (std::int64_t i = 0; i < scored; ++i)
            if (whole || row[static_cast<std::size_t>(i)] < cut) visit(i);
        return;
    }
    const TokenRange arrived = survivorsIn(fate.survivors, {0, scored});
    for (std::int64_t j = arrived.begin; j < arrived.end; ++j) {
        const std::int64_t position = fate.survivors[static_cast<std::size_t>(j)];
        const auto column = static_cast<std::size_t>(layer.compacted ? j : position);
        if (whole || row[column] < cut) visit(position);
    }
}

} // namespace

TokenRange survivorsIn(std::span<const std::int32_t> survivors, TokenRange range) {
    const auto at = [&](std::int64_t position) {
        return std::lower_bound(survivors.begin(), survivors.end(), position) - survivors.begin();
    };
    return {at(range.begin), at(range.end)};
}

std::int64_t keptIn(const trace::Fate& fate, HeadPlace at, TokenRange range) {
    const std::int64_t tokens = fate.tokens();
    const std::int64_t scored = std::max<std::int64_t>(tokens - fate.budgets.window, 0);
    const std::int64_t window = cutTo(range, scored, tokens).size();
    const TokenRange inside = cutTo(range, 0, scored);
    if (inside.size() == 0) return window;

    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    if (keepsAllThatArrives(layer)) return window + arrivedIn(fate, at.layer, inside);
    const auto g = static_cast<std::size_t>(at.head);
    if (layer.levels)
        return window + layer.keptSurvivors[g].count(inside.begin, inside.end);
    const TokenRange columns = layer.compacted ? survivorsIn(fate.survivors, inside) : inside;
    return window + countBelow(part(layer.ranks->row(g), columns), layer.cut[g]);
}

std::int64_t arrivedIn(const trace::Fate& fate, int layer, TokenRange range) {
    const TokenRange inside = cutTo(range, 0, fate.tokens());
    if (layer < fate.budgets.firstLate()) return inside.size();
    return fate.passes.count(inside.begin, inside.end);
}

std::optional<std::uint32_t> rankOf(const trace::Fate& fate, HeadPlace at, std::int64_t token) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    if (!layer.ranks || !fate.arrives(at.layer, token) || fate.isWindow(token)) return std::nullopt;
    const std::int64_t column =
        layer.compacted ? fate.compactedIndex[static_cast<std::size_t>(token)] : token;
    const auto row = layer.ranks->row(static_cast<std::size_t>(at.head));
    if (static_cast<std::size_t>(column) >= row.size()) return std::nullopt;
    return row[static_cast<std::size_t>(column)];
}

TokenRange longestGap(const trace::Fate& fate, HeadPlace at) {
    TokenRange longest;
    std::int64_t next = 0;
    const auto closeGap = [&](std::int64_t kept) {
        if (kept - next > longest.size()) longest = {next, kept};
        next = kept + 1;
    };
    forEachKept(fate, at, closeGap);
    closeGap(std::max<std::int64_t>(fate.tokens() - fate.budgets.window, 0));
    return longest;
}

std::optional<std::int64_t> tiedAtHead(const trace::Run& run, const trace::Fate& fate,
                                       HeadPlace at) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    const auto g = static_cast<std::size_t>(at.head);
    if (layer.tied[g] >= 0) return layer.tied[g];
    if (layer.state != trace::State::Exact) return std::nullopt;
    if (keepsAllThatArrives(layer)) return 0;
    const trace::LayerPlanes& planes = decidingPlanes(run, fate, at.layer);
    if (!planes.saliency || planes.saliency->rows() != layer.ranks->rows() ||
        planes.saliency->cols() != layer.ranks->cols())
        return std::nullopt;
    return trace::tiedAtCut(planes.saliency->row(g), layer.ranks->row(g), layer.cut[g]);
}

const trace::LayerPlanes& decidingPlanes(const trace::Run& run, const trace::Fate& fate,
                                         int layer) {
    if (!fate.layers[static_cast<std::size_t>(layer)].compacted)
        return run.full->layers[static_cast<std::size_t>(layer)];
    return run.fastkv->late[static_cast<std::size_t>(layer - fate.budgets.firstLate())];
}

} // namespace fkv::viz
