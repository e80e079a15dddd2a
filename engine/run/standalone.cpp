// SPDX-License-Identifier: Apache-2.0
#include "engine/run/standalone.h"

#include "engine/run/kv_copy.h"
#include "engine/run/timing.h"
#include "engine/select/ranks.h"

#include <algorithm>

namespace fkv::run {

using model::kMostWindow;
using trace::PassKind;
using trace::Zone;

Standalone::Standalone(const RunContext& context, const Prompt& prompt)
    : m_context(context), m_prompt(prompt), m_positions(consecutive(0, prompt.budgets.tokens)) {
    model::Transformer& transformer = context.transformer();
    const std::int64_t before = transformer.memory().heldBytes();
    const trace::Budgets& budgets = prompt.budgets;
    m_rows = transformer.makeRows(budgets.tokens);
    if (budgets.tspOn) m_survivorRows = transformer.makeRows(budgets.propagated);
    if (budgets.tspOn && context.model.config().slides(budgets.tokens))
        m_survivorPositions = transformer.memory().matrix(1, budgets.propagated, DType::I32);
    std::int64_t longest = 0;
    for (int l = 0; l < context.layers(); ++l) {
        const trace::LayerBudget& budget = budgets.layers[static_cast<std::size_t>(l)];
        Layer& layer = m_layers.emplace_back();
        if (!cuts(l)) {
            layer.whole = transformer.makeCache(budget.entering);
            continue;
        }
        longest = std::max(longest, budget.entering);
        layer.best = transformer.makeCache(budget.kept - budgets.window);
        layer.window = transformer.makeCache(budgets.window);
        if (context.model.config().slidingWindow(l) > 0)
            layer.positions = transformer.memory().matrix(context.model.config().kvHeads,
                                                          layer.best.kv.capacity, DType::I32);
    }
    if (longest > 0) m_work = transformer.makeCache(longest);
    if (longest > 0 || budgets.tspOn) {
        m_lastQueries = transformer.makeLastQueries(budgets.tokens);
        m_scorer.emplace(transformer, budgets.tokens - prompt.scoring.window);
    }
    m_bytes = transformer.memory().heldBytes() - before;
}

bool Standalone::cuts(int layer) const {
    return m_prompt.budgets.layers[static_cast<std::size_t>(layer)].cut();
}

double Standalone::run(PassKind kind) {
    ops::Backend& backend = m_context.model.backend();
    SpanSink spans(backend.clock(), backend.kernelTracer(),
                   expectedSpans(m_context.transformer(), m_prompt.budgets.tokens));
    PassScope scope(spans, kind, m_context.gate, m_context.stop);
    pass(scope, nullptr);
    m_spans = spans.take();
    m_kernels = spans.takeKernels();
    return opMilliseconds(m_spans);
}

std::vector<trace::LayerPlanes> Standalone::runWithPlanes() {
    const trace::Budgets& budgets = m_prompt.budgets;
    const int late = m_context.layers() - budgets.firstLate();
    PlaneCapture planes(
        m_context.transformer(),
        {late, std::max<std::int64_t>(0, budgets.propagated - m_prompt.scoring.window), false});
    SpanSink spans(m_context.model.backend().clock(),
                   expectedSpans(m_context.transformer(), budgets.tokens));
    PassScope scope(spans, PassKind::Standalone, m_context.gate, m_context.stop);
    pass(scope, &planes);
    return planes.layers();
}

void Standalone::pass(PassScope& scope, PlaneCapture* planes) {
    m_x = m_rows.view;
    m_entering = m_positions;
    const ScopedSpan span = scope.enclose(Zone::Pass, m_x.rows);
    m_context.transformer().embed(m_prompt.ids, m_x, scope);
    for (int l = 0; l < m_context.layers(); ++l) {
        if (m_prompt.progress) m_prompt.progress(l);
        scope.setLayer(l);
        const ScopedSpan layer = scope.enclose(Zone::Layer, m_x.rows);
        runLayer(l, scope, planes);
    }
    scope.setLayer(-1);
    m_logits = m_context.transformer().lastLogits(m_x, scope);
}

void Standalone::runLayer(int l, PassScope& scope, PlaneCapture* planes) {
    Layer& layer = m_layers[static_cast<std::size_t>(l)];
    ops::KvView& kv = cuts(l) ? m_work.kv : layer.whole.kv;
    const bool last = l + 1 == m_context.layers();
    const bool tsp = m_prompt.budgets.tspOn && l == m_prompt.budgets.tspLayer;
    if (tsp && !last) {
        runTspLayer(kv, scope, planes);
        return;
    }
    const bool captured = planes != nullptr && l >= m_prompt.budgets.firstLate();
    const bool scored = cuts(l) || tsp || captured;
    const std::int64_t keep = scored ? std::min(kMostWindow, m_x.rows) : 0;
    m_context.transformer().runLayer(
        {l, m_x, m_entering, kv, 0, last ? std::max<std::int64_t>(0, m_x.rows - kMostWindow) : 0,
         keep > 0 ? m_lastQueries.view.rowsFrom(0, keep) : ops::View{}},
        scope);
    if (!scored) return;
    const auto& scores = score(l, kv, scope, planes);
    if (tsp) select(scores, scope);
    compress(l, kv, scores, scope);
}

/// Keys and values of all rows, then everything else for the survivors alone.
void Standalone::runTspLayer(ops::KvView& kv, PassScope& scope, PlaneCapture* planes) {
    model::Transformer& transformer = m_context.transformer();
    const int t = m_prompt.budgets.tspLayer;
    const std::int64_t keep = std::min(kMostWindow, m_x.rows);
    transformer.runLayer({t, m_x, m_entering, kv, 0, m_x.rows}, scope);
    transformer.queries({t, m_x.rowsFrom(m_x.rows - keep, keep),
                         m_entering.last(static_cast<std::size_t>(keep)), m_lastQueries.view},
                        scope);
    const auto& scores = score(t, kv, scope, planes);
    select(scores, scope);
    scope.op(Zone::Gather, m_survivorRows.view.rows, [&] {
        transformer.backend().gatherRows({m_x, m_survivors, m_survivorRows.view});
    });
    m_x = m_survivorRows.view;
    m_entering = m_survivors;
    transformer.runRows({t, m_x, m_survivors, m_visible, kv}, scope);
    compress(t, kv, scores, scope);
}

const model::Scorer::Views& Standalone::score(int l, const ops::KvView& kv, PassScope& scope,
                                              PlaneCapture* planes) {
    const std::int64_t keep = std::min(kMostWindow, kv.length);
    const auto& scores = m_scorer->run(
        {m_lastQueries.view.rowsFrom(0, keep), kv, m_prompt.scoring, false, l, m_entering}, scope);
    const int first = m_prompt.budgets.firstLate();
    if (planes != nullptr && l >= first) planes->take(l - first, scores, scope);
    return scores;
}

void Standalone::select(const model::Scorer::Views& scores, PassScope& scope) {
    const trace::Budgets& budgets = m_prompt.budgets;
    scope.op(Zone::Select, budgets.tokens, [&] {
        m_tspRanks.resize(static_cast<std::size_t>(scores.scored));
        m_context.transformer().backend().readback(m_tspRanks.data(), scores.tspRanks);
        m_context.transformer().backend().synchronize();
        m_survivors = select::bestAscending(m_tspRanks, budgets.propagated - budgets.window);
        for (std::int64_t i = budgets.tokens - budgets.window; i < budgets.tokens; ++i)
            m_survivors.push_back(static_cast<std::int32_t>(i));
        if (m_survivorPositions.buffer)
            m_context.transformer().backend().upload(m_survivorPositions.view, m_survivors.data());
        m_visible = m_survivors;
        for (std::int32_t& tokens : m_visible)
            ++tokens;
    });
}

void Standalone::compress(int l, const ops::KvView& kv, const model::Scorer::Views& scores,
                          PassScope& scope) {
    if (!cuts(l)) return;
    Layer& layer = m_layers[static_cast<std::size_t>(l)];
    ops::Backend& backend = m_context.transformer().backend();
    const std::int64_t window = m_prompt.budgets.window;
    layer.best.kv.length = m_prompt.budgets.layers[static_cast<std::size_t>(l)].kept - window;
    layer.window.kv.length = window;
    scope.op(Zone::Gather, layer.best.kv.length, [&] {
        backend.gatherKv({kv, scores.ranks, layer.best.kv.length, layer.best.kv, positionsIn(l),
                          layer.positions.view});
        copyTokens(backend, kv, kv.length - window, layer.window.kv);
    });
}

/// Where the tokens that enter a layer stood, if they are not all there; empty when all are.
ops::View Standalone::positionsIn(int layer) const {
    return layer < m_prompt.budgets.firstLate() ? ops::View{} : m_survivorPositions.view;
}

std::int64_t peakOf(const LoadedModel& model, const Standalone& pass) {
    return model.info().weightBytes + model.transformer().scratchBytes() + pass.bytes();
}

Standalone::DecodeCache Standalone::decodeCache(std::int64_t room) {
    model::Transformer& transformer = m_context.transformer();
    DecodeCache cache;
    for (int l = 0; l < m_context.layers(); ++l) {
        const Layer& layer = m_layers[static_cast<std::size_t>(l)];
        const ops::KvView& kv = cuts(l) ? layer.window.kv : layer.whole.kv;
        // By the budget, not by what has been run: the size of a cache is known before.
        const std::int64_t entering = m_prompt.budgets.layers[static_cast<std::size_t>(l)].entering;
        const std::int64_t window = std::min<std::int64_t>(m_prompt.budgets.window, entering);
        const std::int64_t before = cuts(l) ? 0 : entering - window;
        cache.tails.push_back(transformer.makeCache(window + room));
        ops::KvView tail = cache.tails.back().kv;
        tail.length = window;
        copyTokens(transformer.backend(), kv, before, tail);
        cache.layers.push_back({transformer.weights().layers[static_cast<std::size_t>(l)],
                                cuts(l) ? layer.best.kv : kv.slice(0, before), tail,
                                m_context.model.config().slidingWindow(l),
                                cuts(l) ? layer.positions.view : positionsIn(l)});
    }
    return cache;
}

} // namespace fkv::run
