// SPDX-License-Identifier: Apache-2.0
#include "engine/run/passes.h"

#include "engine/core/error.h"
#include "engine/select/ranks.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace fkv::run {

namespace {

std::vector<std::int32_t> consecutive(std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(end - begin));
    std::iota(values.begin(), values.end(), static_cast<std::int32_t>(begin));
    return values;
}

/// Tokens [begin, begin + to.length) of every head of `from` to the front of `to`.
void copyTokens(ops::Backend& backend, const ops::KvView& from, std::int64_t begin,
                const ops::KvView& to) {
    for (std::int64_t g = 0; g < from.kvHeads; ++g) {
        const auto rows = [&](void* base, const ops::KvView& kv, std::int64_t at) {
            const auto skip =
                static_cast<std::size_t>((g * kv.capacity + at) * kv.headDim) * sizeOf(kv.dtype);
            return ops::View{static_cast<std::byte*>(base) + skip, kv.dtype, to.length, kv.headDim,
                             kv.headDim};
        };
        backend.copy(rows(to.keys, to, 0), rows(from.keys, from, begin));
        backend.copy(rows(to.values, to, 0), rows(from.values, from, begin));
    }
}

} // namespace

namespace {

std::int32_t argMax(std::span<const float> values) {
    return static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) -
                                     values.begin());
}

/// Runs a layer and reads its scores.
struct LayerPass {
    model::Transformer& transformer;
    const PassOptions& options;
    std::span<const std::int32_t> positions;
    ops::View x;
    SpanSink spans{1024};
    Gate gate;
    PassScope scope{spans, trace::PassKind::Full, gate, options.stop};
    model::Scorer scorer{transformer, x.rows - options.scoring.window};
    ops::Tensor queries = transformer.makeLastQueries(x.rows);

    void run(int layer, model::LayerCache& cache, LayerScores& s) {
        transformer.runLayer({layer, x, positions, cache.kv, 0, 0, queries.view}, scope);
        const auto& views = scorer.run({queries.view, cache.kv, options.scoring}, scope);
        s.scored = views.scored;
        const auto read = [&](auto& to, const ops::View& from) {
            to.resize(static_cast<std::size_t>(from.elements()));
            transformer.backend().readback(to.data(), from);
        };
        read(s.windowSums, views.windowSums);
        read(s.saliency, views.saliency);
        read(s.total, views.total);
        read(s.ranks, views.ranks);
        read(s.tspRanks, views.tspRanks);
        transformer.backend().synchronize();
    }
};

} // namespace

FullResult fullPass(model::Transformer& transformer, std::span<const std::int32_t> ids,
                    const PassOptions& options) {
    const int layers = transformer.config().layers;
    FullResult full;
    full.tokens = static_cast<std::int64_t>(ids.size());
    const std::vector<std::int32_t> positions = consecutive(0, full.tokens);
    ops::Tensor x = transformer.makeRows(full.tokens);
    LayerPass pass{transformer, options, positions, x.view};
    transformer.embed(ids, x.view, pass.scope);
    for (int layer = 0; layer < layers; ++layer) {
        throwIfStopped(options.stop);
        full.caches.push_back(transformer.makeCache(full.tokens));
        full.scores.emplace_back();
        pass.run(layer, full.caches.back(), full.scores.back());
        full.checkpoints.push_back(transformer.makeRows(full.tokens));
        transformer.backend().copy(full.checkpoints.back().view, x.view);
        if (options.progress) options.progress((layer + 1.0) / layers);
    }
    full.logits = transformer.lastLogits(x.view, pass.scope);
    return full;
}

std::vector<std::int32_t> tspSurvivors(const FullResult& full, const trace::Budgets& budgets) {
    if (!budgets.tspOn) return {};
    const LayerScores& scores = full.scores[static_cast<std::size_t>(budgets.tspLayer)];
    std::vector<std::int32_t> survivors =
        select::bestAscending(scores.tspRanks, budgets.propagated - budgets.window);
    const std::vector<std::int32_t> window = consecutive(scores.scored, full.tokens);
    survivors.insert(survivors.end(), window.begin(), window.end());
    return survivors;
}

RerunResult rerun(model::Transformer& transformer, const FullResult& full,
                  const trace::Budgets& budgets, const PassOptions& options) {
    RerunResult late;
    if (!budgets.tspOn) {
        late.logits = full.logits;
        return late;
    }
    late.survivors = tspSurvivors(full, budgets);
    const auto rows = static_cast<std::int64_t>(late.survivors.size());
    ops::Tensor x = transformer.makeRows(rows);
    transformer.backend().gatherRows(
        {full.checkpoints[static_cast<std::size_t>(budgets.tspLayer)].view, late.survivors,
         x.view});
    LayerPass pass{transformer, options, late.survivors, x.view};
    const int layers = transformer.config().layers;
    for (int layer = budgets.firstLate(); layer < layers; ++layer) {
        throwIfStopped(options.stop);
        late.caches.push_back(transformer.makeCache(rows));
        late.scores.emplace_back();
        pass.run(layer, late.caches.back(), late.scores.back());
        if (options.progress)
            options.progress((layer + 1.0 - budgets.firstLate()) / (layers - budgets.firstLate()));
    }
    late.logits = transformer.lastLogits(x.view, pass.scope);
    return late;
}

std::vector<std::vector<std::int32_t>> keptPositions(const FullResult& full,
                                                     const RerunResult& late,
                                                     const trace::Budgets& budgets, int layer) {
    const bool reduced = layer >= budgets.firstLate();
    const auto index = static_cast<std::size_t>(reduced ? layer - budgets.firstLate() : layer);
    const LayerScores& scores = reduced ? late.scores[index] : full.scores[index];
    const trace::LayerBudget budget = budgets.layers[static_cast<std::size_t>(layer)];
    const std::int64_t heads = (reduced ? late.caches : full.caches)[index].kv.kvHeads;
    std::vector<std::vector<std::int32_t>> kept;
    for (std::int64_t g = 0; g < heads; ++g) {
        std::vector<std::int32_t> columns;
        if (budget.kept < budget.entering) {
            const auto m = static_cast<std::size_t>(scores.scored);
            columns = select::bestAscending(
                std::span(scores.ranks).subspan(static_cast<std::size_t>(g) * m, m),
                budget.kept - budgets.window);
            const auto window = consecutive(scores.scored, budget.entering);
            columns.insert(columns.end(), window.begin(), window.end());
        } else {
            columns = consecutive(0, budget.entering);
        }
        if (reduced)
            for (std::int32_t& column : columns)
                column = late.survivors[static_cast<std::size_t>(column)];
        kept.push_back(std::move(columns));
    }
    return kept;
}

DecodeCache decodeCache(model::Transformer& transformer, const FullResult& full,
                        const RerunResult* late, const trace::Budgets& budgets, std::int64_t room) {
    DecodeCache cache;
    ops::Backend& backend = transformer.backend();
    for (int layer = 0; layer < transformer.config().layers; ++layer) {
        const bool reduced = late != nullptr && layer >= budgets.firstLate();
        const auto index = static_cast<std::size_t>(reduced ? layer - budgets.firstLate() : layer);
        const model::LayerCache& source = reduced ? late->caches[index] : full.caches[index];
        const LayerScores& scores = reduced ? late->scores[index] : full.scores[index];
        const std::int64_t entering = source.kv.length;
        const std::int64_t kept =
            late == nullptr ? entering : budgets.layers[static_cast<std::size_t>(layer)].kept;
        const std::int64_t window = entering - scores.scored;

        ops::DecodeLayer decode{};
        decode.weights = transformer.weights().layers[static_cast<std::size_t>(layer)];
        cache.memory.push_back(transformer.makeCache(window + room));
        decode.tail = cache.memory.back().kv;
        decode.tail.length = window;
        copyTokens(backend, source.kv, scores.scored, decode.tail);
        if (kept >= entering) {
            // Whole and in place: a rate of 1 reads the very bytes that full context reads.
            decode.prefix = source.kv.slice(0, scores.scored);
        } else {
            cache.memory.push_back(transformer.makeCache(kept - window));
            decode.prefix = cache.memory.back().kv;
            decode.prefix.length = kept - window;
            const ops::Tensor ranks = [&] {
                ops::Tensor t;
                t.buffer = backend.allocate(scores.ranks.size() * sizeof(std::uint32_t),
                                            ops::Lifetime::Scratch);
                t.view = {t.buffer->data(), DType::U32, source.kv.kvHeads, scores.scored,
                          scores.scored};
                backend.upload(t.view, scores.ranks.data());
                return t;
            }();
            backend.gatherKv({source.kv, ranks.view, kept - window, decode.prefix});
            backend.synchronize();
        }
        cache.layers.push_back(decode);
    }
    return cache;
}

std::vector<std::int32_t> greedy(model::Transformer& transformer, const GreedyRun& run) {
    std::vector<std::int32_t> tokens;
    std::vector<float> logits(run.firstLogits.begin(), run.firstLogits.end());
    const auto& eos = transformer.config().eos;
    const ops::Tensor out = transformer.memory().matrix(1, transformer.config().vocabulary);
    while (static_cast<int>(tokens.size()) < run.count) {
        const std::int32_t next = argMax(logits);
        tokens.push_back(next);
        const bool ends = std::find(eos.begin(), eos.end(), next) != eos.end();
        if ((ends && run.stopAtEos) || static_cast<int>(tokens.size()) == run.count) break;
        transformer.backend().decodeStep(transformer.decodePlan(
            std::span<const std::int32_t>(&tokens.back(), 1),
            run.position + static_cast<std::int64_t>(tokens.size()) - 1, run.layers, out.view));
        transformer.backend().readback(logits.data(), out.view);
        transformer.backend().synchronize();
    }
    return tokens;
}

} // namespace fkv::run
