// SPDX-License-Identifier: Apache-2.0
#include "engine/run/restore_rows.h"

#include "engine/run/held_kv.h"

#include <algorithm>
#include <numeric>

namespace fkv::run {

using trace::Zone;

namespace {

/// Tokens that start after the same layer.
struct Start {
    const Checkpoint* checkpoint;     ///< null: the embeddings
    std::vector<std::int32_t> places; ///< ascending indices into the tokens asked for
    std::vector<std::int32_t> rows;   ///< of the checkpoint

    int layer() const { return checkpoint ? checkpoint->layer : -1; }
};

std::vector<std::int32_t> valuesAt(std::span<const std::int32_t> values,
                                   std::span<const std::int32_t> places) {
    std::vector<std::int32_t> taken;
    for (const std::int32_t place : places)
        taken.push_back(values[static_cast<std::size_t>(place)]);
    return taken;
}

/// A row that goes through a layer alone is summed in another order than among others: the first
/// token gets company from the second start, and both begin with their embeddings.
void pairUp(std::vector<Start>& starts) {
    Start& donor = starts[1];
    const std::int32_t first = starts[0].places.front(), second = donor.places.front();
    starts[0] = {nullptr, {std::min(first, second), std::max(first, second)}, {}};
    donor.places.erase(donor.places.begin());
    donor.rows.erase(donor.rows.begin());
    if (donor.places.empty()) starts.erase(starts.begin() + 1);
}

/// Where every token starts, earliest layer first.
std::vector<Start> startsOf(const HeldFull& full, const RestoreRequest& request) {
    std::vector<Start> starts;
    std::vector<std::int32_t> left(request.positions.size());
    std::iota(left.begin(), left.end(), 0);
    for (const Checkpoint* c = full.checkpoints.newest(request.layer); c && !left.empty();
         c = full.checkpoints.newest(c->layer - 1)) {
        const std::vector<std::int32_t> rows = rowsOf(*c, valuesAt(request.positions, left));
        Start start{c, {}, {}};
        std::vector<std::int32_t> missing;
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (rows[i] < 0) {
                missing.push_back(left[i]);
                continue;
            }
            start.places.push_back(left[i]);
            start.rows.push_back(rows[i]);
        }
        if (!start.places.empty()) starts.push_back(std::move(start));
        left = std::move(missing);
    }
    if (!left.empty()) starts.push_back({nullptr, std::move(left), {}});
    std::reverse(starts.begin(), starts.end());
    if (starts.size() > 1 && starts.front().places.size() == 1) pairUp(starts);
    return starts;
}

class Restoring {
public:
    Restoring(const RunContext& context, const RestoreRequest& request, HeldFull& full,
              const ops::View& x, PassScope& scope)
        : m_context(context), m_request(request), m_full(full), m_x(x), m_scope(scope) {}

    std::int64_t run() {
        const std::vector<Start> starts = startsOf(m_full, m_request);
        if (starts.size() > 1) m_together = m_context.transformer().makeRows(m_x.rows);
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const bool last = i + 1 == starts.size();
            // The deployed path gathers its survivors once; whatever else is done stands in for
            // what checkpoints do not hold.
            if (last && starts[i].checkpoint)
                m_scope.resetInstead();
            else
                m_scope.setInstead(Zone::Checkpoint);
            join(starts[i]);
            m_scope.setInstead(Zone::Checkpoint);
            runTo(last ? m_request.layer : starts[i + 1].layer(), starts[i].layer());
        }
        m_scope.resetInstead();
        m_scope.setLayer(-1);
        return m_rowsRun;
    }

private:
    ops::Backend& backend() { return m_context.transformer().backend(); }

    void take(const Start& start, const ops::View& to) {
        if (start.checkpoint) {
            m_scope.op(Zone::Gather, to.rows, [&] {
                backend().gatherRows({start.checkpoint->rows.view, start.rows, to});
            });
            return;
        }
        std::vector<std::int32_t> ids;
        for (const std::int32_t place : start.places)
            ids.push_back(m_full.ids[static_cast<std::size_t>(
                m_request.positions[static_cast<std::size_t>(place)])]);
        m_context.transformer().embed(ids, to, m_scope);
    }

    /// Puts tokens that start here between those under way.
    void join(const Start& start) {
        const auto before = static_cast<std::int64_t>(m_places.size());
        const auto more = static_cast<std::int64_t>(start.places.size());
        if (before == 0) {
            take(start, m_x.rowsFrom(0, more));
            m_places = start.places;
            return;
        }
        take(start, m_together.view.rowsFrom(before, more));
        std::vector<std::int32_t> places, from;
        for (std::int32_t a = 0, b = 0; a < before || b < more;) {
            const auto old = static_cast<std::size_t>(a), fresh = static_cast<std::size_t>(b);
            const bool first = b == more || (a < before && m_places[old] < start.places[fresh]);
            places.push_back(first ? m_places[old] : start.places[fresh]);
            from.push_back(first ? a++ : static_cast<std::int32_t>(before) + b++);
        }
        m_scope.op(Zone::Gather, before + more, [&] {
            backend().copy(m_together.view.rowsFrom(0, before), m_x.rowsFrom(0, before));
            backend().gatherRows(
                {m_together.view.rowsFrom(0, before + more), from, m_x.rowsFrom(0, before + more)});
        });
        m_places = std::move(places);
    }

    /// Layers (from, to] over the tokens under way.
    void runTo(int to, int from) {
        const std::vector<std::int32_t> positions = valuesAt(m_request.positions, m_places);
        std::vector<std::int32_t> visible = positions;
        for (std::int32_t& tokens : visible)
            ++tokens;
        const auto rows = static_cast<std::int64_t>(positions.size());
        const bool all = rows == m_x.rows;
        const auto tokens = static_cast<std::int64_t>(m_full.ids.size());
        for (int layer = from + 1; layer <= to; ++layer) {
            if (all && m_request.progress) m_request.progress(layer);
            m_scope.setLayer(layer);
            m_context.transformer().runRows({layer, m_x.rowsFrom(0, rows), positions, visible,
                                             nearKv(m_context, m_full, layer, tokens, m_scope)},
                                            m_scope);
            m_rowsRun += rows;
        }
    }

    const RunContext& m_context;
    const RestoreRequest& m_request;
    HeldFull& m_full;
    ops::View m_x;
    PassScope& m_scope;
    ops::Tensor m_together;
    std::vector<std::int32_t> m_places; ///< of the tokens in the front of x, ascending
    std::int64_t m_rowsRun = 0;
};

} // namespace

std::int64_t restoreRows(const RunContext& context, const RestoreRequest& request, HeldFull& full,
                         const ops::View& x, PassScope& scope) {
    return Restoring(context, request, full, x, scope).run();
}

} // namespace fkv::run
