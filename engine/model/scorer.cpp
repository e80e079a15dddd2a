// SPDX-License-Identifier: Apache-2.0
#include "engine/model/scorer.h"

#include "engine/core/error.h"
#include "engine/model/sliding.h"

#include <algorithm>
#include <vector>

namespace fkv::model {

using trace::Zone;

namespace {

/// The front of scratch as [rows, cols] without gaps, as pooling takes planes.
ops::View front(const ops::Tensor& scratch, std::int64_t cols) {
    return {scratch.view.data, scratch.view.dtype, scratch.view.rows, cols, cols};
}

} // namespace

Scorer::Scorer(Transformer& transformer, std::int64_t mostScored)
    : m_transformer(transformer), m_most(std::max<std::int64_t>(mostScored, 0)) {
    DeviceMemory& memory = transformer.memory();
    const Config& c = transformer.config();
    for (Set& set : m_sets)
        set = {memory.matrix(c.queryHeads, m_most), memory.matrix(c.kvHeads + 1, m_most),
               memory.matrix(c.kvHeads + 1, m_most, DType::U32)};
    if (!c.slidingWindows.empty()) m_hiddenTotal = memory.matrix(1, m_most);
}

const Scorer::Views& Scorer::run(const Layer& layer, PassScope& scope) {
    const std::int64_t tokens = layer.keys.length;
    const std::int64_t window = layer.scoring.window;
    const std::int64_t m = std::max<std::int64_t>(0, tokens - window);
    if (m > m_most || (m > 0 && layer.lastQueries.rows < window))
        throw Error(ErrorCode::Internal, "a layer is longer than its scorer was made for");
    const Config& c = m_transformer.config();
    const Set& set = m_sets[m_next++ % m_sets.size()];
    const ops::View scores = front(set.scores, m), ranks = front(set.ranks, m);
    m_views = {m,
               front(set.windowSums, m),
               scores.rowsFrom(0, c.kvHeads),
               scores.rowsFrom(c.kvHeads, 1),
               ranks.rowsFrom(0, c.kvHeads),
               ranks.rowsFrom(c.kvHeads, 1)};
    if (m == 0) return m_views;
    score(layer, {}, scope);
    const std::int64_t slides = c.slidingWindow(layer.layer);
    const std::int64_t next = layer.positions.empty() ? tokens : layer.positions.back() + 1;
    if (slides > 0 && next >= slides) score(layer, sightOf(layer, slides), scope);
    const auto rank = [&] { m_transformer.backend().ranks({scores, ranks, layer.forDelivery}); };
    if (layer.forDelivery)
        scope.opAside(Zone::Ranks, m, rank);
    else
        scope.op(Zone::Ranks, m, rank);
    return m_views;
}

Scorer::Sight Scorer::sightOf(const Layer& layer, std::int64_t slidingWindow) const {
    const std::int64_t tokens = layer.keys.length;
    const auto positionOf = [&](std::int64_t place) {
        return layer.positions.empty()
                   ? place
                   : std::int64_t{layer.positions[static_cast<std::size_t>(place)]};
    };
    const auto firstSeenFrom = [&](std::int64_t position) {
        return layer.positions.empty() ? std::max<std::int64_t>(0, position - slidingWindow + 1)
                                       : firstInSight(layer.positions, position, slidingWindow);
    };
    Sight sight;
    for (std::int64_t place = tokens - layer.scoring.window; place < tokens; ++place)
        sight.firstRows.push_back(static_cast<std::int32_t>(firstSeenFrom(positionOf(place))));
    sight.firstCandidate = std::min(m_views.scored, firstSeenFrom(positionOf(tokens - 1) + 1));
    return sight;
}

void Scorer::score(const Layer& layer, const Sight& sight, PassScope& scope) {
    ops::Backend& backend = m_transformer.backend();
    const Config& c = m_transformer.config();
    const std::int64_t window = layer.scoring.window;
    scope.op(Zone::WindowSums, layer.keys.length, [&] {
        backend.windowSums({layer.lastQueries.rowsFrom(layer.lastQueries.rows - window, window),
                            layer.keys, c.queryHeads, m_transformer.attentionScale(),
                            m_views.windowSums, sight.firstRows});
    });
    const bool whole = sight.firstRows.empty();
    scope.op(Zone::Saliency, m_views.scored, [&] {
        backend.saliency({m_views.windowSums, c.kvHeads, layer.scoring.kernel,
                          layer.scoring.average, m_views.saliency,
                          whole ? m_views.total : front(m_hiddenTotal, m_views.scored),
                          sight.firstCandidate});
    });
}

} // namespace fkv::model
