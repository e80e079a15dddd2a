// SPDX-License-Identifier: Apache-2.0
#include "engine/run/checkpoints.h"

#include "engine/run/held_state.h"

#include <algorithm>
#include <numeric>

namespace fkv::run {

using model::kMostWindow;
using model::Transformer;
using trace::Zone;

namespace {

/// Rows that are copied between two looks at the stop token.
constexpr std::int64_t kCopyRows = 4096;

ops::Place placeOf(CheckpointKind kind) {
    return kind == CheckpointKind::RankedOnHost ? ops::Place::Host : ops::Place::Device;
}

std::int64_t roomOf(CheckpointKind kind, const CheckpointCosts& costs) {
    return kind == CheckpointKind::Whole ? costs.rows : costs.rankedRows;
}

/// The newest tokens, then the others as they rank: at most `room` of those for which `there`.
template <class Predicate>
std::vector<std::int32_t> bestOf(std::span<const std::uint32_t> ranks, std::int64_t tokens,
                                 std::int64_t room, Predicate there) {
    std::vector<std::int32_t> order(ranks.size());
    for (std::size_t i = 0; i < ranks.size(); ++i)
        order[ranks[i]] = static_cast<std::int32_t>(i);
    const std::int64_t newest = std::max<std::int64_t>(0, tokens - kMostWindow);
    std::vector<std::int32_t> best;
    const auto take = [&](std::int64_t token) {
        if (static_cast<std::int64_t>(best.size()) < room && there(token))
            best.push_back(static_cast<std::int32_t>(token));
    };
    for (std::int64_t token = newest; token < tokens; ++token)
        take(token);
    for (const std::int32_t token : order)
        if (token < newest) take(token);
    return best;
}

/// Where each token up to `tokens` lies; -1: nowhere.
std::vector<std::int32_t> rowByToken(const Checkpoint& c, std::int64_t tokens) {
    std::vector<std::int32_t> rows(static_cast<std::size_t>(tokens), -1);
    for (std::size_t row = 0; row < c.positions.size(); ++row)
        if (c.positions[row] >= 0 && c.positions[row] < tokens)
            rows[static_cast<std::size_t>(c.positions[row])] = static_cast<std::int32_t>(row);
    return rows;
}

/// Gives a checkpoint another kind or another room; its first `kept` rows stay.
void remake(Transformer& transformer, Checkpoint& c, CheckpointKind kind, std::int64_t room,
            std::int64_t kept) {
    if (c.rows.buffer && c.kind == kind && c.rows.view.rows == room) return;
    ops::Tensor made = transformer.makeRows(room, placeOf(kind));
    if (kept > 0)
        transformer.backend().copy(made.view.rowsFrom(0, kept), c.rows.view.rowsFrom(0, kept));
    c.rows = std::move(made);
    c.kind = kind;
    if (kind != CheckpointKind::Whole) c.positions.resize(static_cast<std::size_t>(room), -1);
}

/// Of all tokens the best.
void rank(Transformer& transformer, Checkpoint& c, CheckpointKind kind,
          const CheckpointCosts& costs, const trace::Plane<std::uint32_t>* ranks) {
    std::vector<std::int32_t> best;
    if (ranks)
        best = bestOf(ranks->row(static_cast<std::size_t>(c.layer)), costs.tokens, costs.rankedRows,
                      [](std::int64_t) { return true; });
    ops::Tensor made = transformer.makeRows(costs.rankedRows, placeOf(kind));
    const auto rows = static_cast<std::int64_t>(best.size());
    transformer.backend().gatherRows({c.rows.view, best, made.view.rowsFrom(0, rows)});
    best.resize(static_cast<std::size_t>(costs.rankedRows), -1);
    c = {c.layer, kind, std::move(made), std::move(best)};
}

} // namespace

bool Checkpoints::cover(const CheckpointPlan& plan) const {
    return std::all_of(plan.layers.begin(), plan.layers.end(), [&](int layer) {
        const Checkpoint* c = newest(layer);
        return c && c->layer == layer && c->kind <= plan.kind;
    });
}

void Checkpoints::reduce(Transformer& transformer, const CheckpointPlan& plan,
                         const CheckpointCosts& costs, const trace::Plane<std::uint32_t>* ranks) {
    std::erase_if(m_held, [&](const Checkpoint& c) {
        return !std::binary_search(plan.layers.begin(), plan.layers.end(), c.layer);
    });
    for (Checkpoint& c : m_held) {
        if (c.kind == plan.kind) continue;
        if (c.kind == CheckpointKind::Whole)
            rank(transformer, c, plan.kind, costs, ranks);
        else
            remake(transformer, c, plan.kind, c.rows.view.rows, c.rows.view.rows);
    }
}

void Checkpoints::prepare(const RunContext& context, const CheckpointPlan& plan,
                          const CheckpointCosts& costs, std::int64_t kept) {
    const std::int64_t room = roomOf(plan.kind, costs);
    if (kept == 0) {
        // Nothing of it is needed: memory of another size goes back before new is taken.
        const bool same = std::all_of(m_held.begin(), m_held.end(), [&](const Checkpoint& c) {
            return c.kind == plan.kind && c.rows.view.rows == room;
        });
        if (!same || layers() != plan.layers) m_held.clear();
        for (const std::int32_t layer : plan.layers) {
            if (!at(layer)) m_held.push_back({layer, plan.kind, {}, {}});
        }
    }
    for (Checkpoint& c : m_held) {
        const std::int64_t stays = c.kind == CheckpointKind::Whole
                                       ? kept
                                       : (kept > 0 ? std::min(room, c.rows.view.rows) : 0);
        context.gate.pass(context.stop);
        remake(context.transformer(), c, plan.kind, room, stays);
    }
}

const Checkpoint* Checkpoints::newest(int layer) const {
    const auto after =
        std::upper_bound(m_held.begin(), m_held.end(), layer,
                         [](int wanted, const Checkpoint& c) { return wanted < c.layer; });
    return after == m_held.begin() ? nullptr : &*(after - 1);
}

Checkpoint* Checkpoints::at(int layer) {
    const auto found = std::find_if(m_held.begin(), m_held.end(),
                                    [&](const Checkpoint& c) { return c.layer == layer; });
    return found == m_held.end() ? nullptr : &*found;
}

std::vector<std::int32_t> Checkpoints::layers() const {
    std::vector<std::int32_t> layers;
    for (const Checkpoint& c : m_held)
        layers.push_back(c.layer);
    return layers;
}

std::int64_t Checkpoints::bytes() const {
    return std::accumulate(
        m_held.begin(), m_held.end(), std::int64_t{0}, [](std::int64_t sum, const Checkpoint& c) {
            const ops::View& rows = c.rows.view;
            return sum + rows.elements() * static_cast<std::int64_t>(sizeOf(rows.dtype));
        });
}

std::int64_t Checkpoints::hostBytes() const {
    const bool onHost = !m_held.empty() && m_held.front().kind == CheckpointKind::RankedOnHost;
    return onHost ? bytes() : 0;
}

std::vector<std::int32_t> rowsOf(const Checkpoint& c, std::span<const std::int32_t> positions) {
    std::vector<std::int32_t> rows(positions.begin(), positions.end());
    if (c.kind == CheckpointKind::Whole || rows.empty()) return rows;
    const std::vector<std::int32_t> row =
        rowByToken(c, 1 + *std::max_element(positions.begin(), positions.end()));
    for (std::int32_t& r : rows)
        r = row[static_cast<std::size_t>(r)];
    return rows;
}

CheckpointWriter::CheckpointWriter(Transformer& transformer, Checkpoints& held, std::int64_t from)
    : m_transformer(transformer), m_held(held), m_from(from) {
    const std::vector<std::int32_t> layers = held.layers();
    if (layers.empty()) return;
    const Checkpoint& any = *held.newest(layers.front());
    m_ranked = any.kind != CheckpointKind::Whole;
    // No layer allocates, and rows that stay must not be written over before they are read.
    if (m_ranked && from > 0) m_spare = transformer.makeRows(any.rows.view.rows, placeOf(any.kind));
}

void CheckpointWriter::write(int layer, const ops::View& x, const ops::View& tspRanks,
                             PassScope& scope) {
    Checkpoint* c = m_held.at(layer);
    if (!c) return;
    if (c->kind != CheckpointKind::Whole) {
        scope.op(Zone::Checkpoint, c->rows.view.rows, [&] { writeRanked(*c, x, tspRanks); });
        return;
    }
    for (std::int64_t begin = 0; begin < x.rows; begin += kCopyRows) {
        const std::int64_t rows = std::min(kCopyRows, x.rows - begin);
        scope.op(Zone::Checkpoint, rows, [&] {
            m_transformer.backend().copy(c->rows.view.rowsFrom(m_from + begin, rows),
                                         x.rowsFrom(begin, rows));
        });
    }
}

void CheckpointWriter::writeRanked(Checkpoint& c, const ops::View& x, const ops::View& tspRanks) {
    ops::Backend& backend = m_transformer.backend();
    const std::int64_t tokens = m_from + x.rows;
    std::vector<std::uint32_t> ranks(static_cast<std::size_t>(tspRanks.cols));
    backend.readback(ranks.data(), tspRanks);
    backend.synchronize();
    const std::vector<std::int32_t> held = rowByToken(c, tokens);
    std::vector<std::int32_t> stay, fresh, positions;
    for (const std::int32_t token : bestOf(ranks, tokens, c.rows.view.rows, [&](std::int64_t p) {
             return p >= m_from || held[static_cast<std::size_t>(p)] >= 0;
         })) {
        if (token >= m_from)
            fresh.push_back(token);
        else
            positions.push_back(token);
    }
    for (const std::int32_t token : positions)
        stay.push_back(held[static_cast<std::size_t>(token)]);
    const auto stays = static_cast<std::int64_t>(stay.size());
    const auto news = static_cast<std::int64_t>(fresh.size());
    const ops::View& to = stays > 0 ? m_spare.view : c.rows.view;
    if (stays == 0) std::fill(c.positions.begin(), c.positions.end(), -1);
    if (stays > 0) backend.gatherRows({c.rows.view, stay, to.rowsFrom(0, stays)});
    positions.insert(positions.end(), fresh.begin(), fresh.end());
    for (std::int32_t& token : fresh)
        token -= static_cast<std::int32_t>(m_from);
    backend.gatherRows({x, fresh, to.rowsFrom(stays, news)});
    positions.resize(static_cast<std::size_t>(c.rows.view.rows), -1);
    c.positions = std::move(positions);
    if (stays > 0) std::swap(c.rows, m_spare);
}

} // namespace fkv::run
