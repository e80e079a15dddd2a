// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/token_looks.h"

#include "viz/series/importance.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fkv::viz {
namespace {

/// VIEWS: a dropped token is lost when a later layer ranks it among its best 1 %.
constexpr double kLostShare = 0.01;

std::pair<int, int> headsOf(const trace::Fate& fate, const Decider& decider) {
    const auto& layer = fate.layers[static_cast<std::size_t>(decider.layer)];
    if (decider.kind == Decider::Kind::Head) return {decider.head, decider.head + 1};
    return {0, static_cast<int>(layer.cut.size())};
}

/// Marks every scored column that one of the heads keeps.
void markKept(const trace::LayerFate& layer, std::pair<int, int> heads,
              std::vector<std::uint8_t>& kept) {
    const std::size_t columns = layer.ranks->cols();
    kept.assign(columns, 0);
    for (int g = heads.first; g < heads.second; ++g) {
        const std::uint32_t* ranks = layer.ranks->row(static_cast<std::size_t>(g)).data();
        const std::uint32_t cut = layer.cut[static_cast<std::size_t>(g)];
        std::uint8_t* out = kept.data();
        for (std::size_t i = 0; i < columns; ++i)
            out[i] |= ranks[i] < cut ? 1 : 0;
    }
}

} // namespace

trace::PositionSet keptTokens(const trace::Fate& fate, const Decider& decider) {
    if (decider.kind == Decider::Kind::Tsp) return fate.passes;
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(decider.layer)];
    const bool late = decider.layer >= fate.budgets.firstLate();
    if (layer.kept >= layer.entering || !layer.ranks)
        return late ? fate.passes : trace::PositionSet(fate.tokens(), true);
    std::vector<std::uint8_t> column;
    markKept(layer, headsOf(fate, decider), column);
    trace::PositionSet kept(fate.tokens());
    for (std::size_t j = 0; j < column.size(); ++j) {
        if (column[j] == 0) continue;
        const auto token = layer.compacted ? fate.survivors[j] : static_cast<std::int64_t>(j);
        if (!late || layer.compacted || fate.passes.has(token)) kept.add(token);
    }
    for (std::int64_t i = static_cast<std::int64_t>(fate.tokens()) - fate.budgets.window;
         i < fate.tokens(); ++i)
        if (i >= 0) kept.add(i);
    return kept;
}

bool someHeadKeepsAny(const trace::Fate& fate, int layer, TokenRange tokens) {
    const trace::LayerFate& of = fate.layers[static_cast<std::size_t>(layer)];
    const bool late = layer >= fate.budgets.firstLate();
    const std::int64_t scored = fate.tokens() - fate.budgets.window;
    if (tokens.size() > 0 && tokens.end > scored) return true; // the window is always kept
    if (of.kept >= of.entering || !of.ranks)
        return late ? fate.passes.count(tokens.begin, tokens.end) > 0 : tokens.size() > 0;
    std::int64_t begin = tokens.begin, end = tokens.end;
    if (of.compacted) {
        const auto& s = fate.survivors;
        begin = std::lower_bound(s.begin(), s.end(), tokens.begin) - s.begin();
        end = std::lower_bound(s.begin(), s.end(), tokens.end) - s.begin();
    }
    for (std::size_t g = 0; g < of.cut.size(); ++g) {
        const auto ranks = of.ranks->row(g);
        for (std::int64_t i = begin; i < end; ++i)
            if (ranks[static_cast<std::size_t>(i)] < of.cut[g] &&
                (!late || of.compacted || fate.passes.has(i)))
                return true;
    }
    return false;
}

TokenLooks::TokenLooks(trace::RunPtr run, trace::FatePtr fate, int layer, const Decider& decider)
    : m_run(std::move(run)),
      m_fate(std::move(fate)),
      m_kept(keptTokens(*m_fate, decider)),
      m_decider(decider),
      m_layer(layer) {
    if (decider.kind != Decider::Kind::Tsp)
        m_state = m_fate->layers[static_cast<std::size_t>(decider.layer)].state;
    findCuts();
}

void TokenLooks::findCuts() {
    const trace::Budgets& b = m_fate->budgets;
    if (m_decider.kind == Decider::Kind::Tsp) {
        if (!b.tspOn || !m_run->full->tspRanks) return;
        const auto t = static_cast<std::size_t>(b.tspLayer);
        m_saliency = m_run->full->layers[t].saliency;
        if (!m_saliency) return;
        addCut(0, static_cast<int>(m_saliency->rows()), m_run->full->tspRanks->row(t),
               b.propagated - b.window);
        return;
    }
    const trace::LayerFate& layer = m_fate->layers[static_cast<std::size_t>(m_decider.layer)];
    if (layer.state != trace::State::Exact || layer.kept >= layer.entering || !layer.ranks) return;
    m_compacted = layer.compacted;
    const auto l = static_cast<std::size_t>(m_decider.layer);
    const auto late = l - static_cast<std::size_t>(m_compacted ? b.firstLate() : 0);
    m_saliency = m_compacted ? m_run->fastkv->late[late].saliency : m_run->full->layers[l].saliency;
    if (!m_saliency || m_saliency->cols() != layer.ranks->cols()) {
        m_saliency = nullptr;
        return;
    }
    const auto [first, end] = headsOf(*m_fate, m_decider);
    for (int g = first; g < end; ++g)
        addCut(g, 1, layer.ranks->row(static_cast<std::size_t>(g)),
               layer.cut[static_cast<std::size_t>(g)]);
}

void TokenLooks::addCut(int firstRow, int rows, std::span<const std::uint32_t> ranks,
                        std::int64_t kept) {
    if (kept <= 0 || kept >= static_cast<std::int64_t>(ranks.size())) return;
    const auto last = std::find(ranks.begin(), ranks.end(), static_cast<std::uint32_t>(kept - 1));
    if (last == ranks.end()) return;
    Cut cut{firstRow, rows, 0.0};
    cut.score = score(cut, static_cast<std::size_t>(last - ranks.begin()));
    m_cuts.push_back(cut);
}

double TokenLooks::score(const Cut& cut, std::size_t column) const {
    double sum = 0.0;
    for (int r = cut.firstRow; r < cut.firstRow + cut.rows; ++r)
        sum += static_cast<double>(m_saliency->row(static_cast<std::size_t>(r))[column]);
    return sum;
}

bool TokenLooks::tied(std::int64_t token) const {
    if (m_cuts.empty()) return false;
    std::int64_t column = token;
    if (m_compacted) {
        column = m_fate->compactedIndex[static_cast<std::size_t>(token)];
        if (column < 0) return false;
    }
    // SPEC section 5: tied means |score - cut| <= 1e-4 |cut| + 1e-7.
    return std::any_of(m_cuts.begin(), m_cuts.end(), [&](const Cut& cut) {
        return std::fabs(score(cut, static_cast<std::size_t>(column)) - cut.score) <=
               1e-4 * std::fabs(cut.score) + 1e-7;
    });
}

bool TokenLooks::lost(std::int64_t token) const {
    if (m_fate->passes.has(token) || !m_run->full->tspRanks) return false;
    const auto& ranks = *m_run->full->tspRanks;
    const double best = kLostShare * static_cast<double>(m_run->scored());
    for (auto m = static_cast<std::size_t>(m_fate->budgets.firstLate()); m < ranks.rows(); ++m)
        if (ranks.row(m)[static_cast<std::size_t>(token)] + 1.0 <= best) return true;
    return false;
}

bool TokenLooks::sameScores(const TokenLooks& other) const {
    return m_run && other.m_run && m_layer == other.m_layer &&
           m_run->full->tspRanks == other.m_run->full->tspRanks;
}

std::span<const std::uint32_t> TokenLooks::ranks() const {
    if (!m_run || !m_run->full || !m_run->full->tspRanks) return {};
    const auto& plane = *m_run->full->tspRanks;
    const auto layer = static_cast<std::size_t>(m_layer);
    return layer < plane.rows() ? plane.row(layer) : std::span<const std::uint32_t>{};
}

std::int64_t TokenLooks::rank(std::int64_t token) const {
    const auto row = ranks();
    if (token < 0 || token >= static_cast<std::int64_t>(row.size())) return -1;
    return row[static_cast<std::size_t>(token)];
}

TokenLook TokenLooks::at(std::int64_t token) const {
    TokenLook look;
    look.kept = m_kept.has(token);
    const std::int64_t r = rank(token);
    if (r < 0) {
        look.window = true;
        return look;
    }
    const std::int64_t scored = m_run->scored();
    look.share = rampPosition(importance(static_cast<std::uint32_t>(r), scored), kImportanceLow,
                              importanceHigh(scored));
    look.tied = tied(token);
    look.lost = lost(token);
    return look;
}

} // namespace fkv::viz
