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
            const auto skip = static_cast<std::size_t>((g * kv.capacity + at) * kv.headDim) * sizeOf(kv.dtype);
            return ops::View{static_cast<std::byte*>(base) + skip, kv.dtype, to.length, kv.headDim, kv.headDim};
        };
        backend.copy(rows(to.keys, to, 0), rows(from.keys, from, begin));
        backend.copy(rows(to.values, to, 0), rows(from.values, from, begin));
    }
}

}  // namespace

FullResult fullPass(model::Transformer& transformer, std::span<const std::int32_t> ids,
                    const PassOptions& options) {
    const int layers = transformer.config().layers;
    FullResult full;
    full.tokens = static_cast<std::int64_t>(ids.size());
    const std::vector<std::int32_t> positions = consecutive(0, full.tokens);
    ops::Tensor x = transformer.makeRows(full.tokens);
    transformer.embed(ids, x.view);
    for (int layer = 0; layer < layers; ++layer) {
        throwIfStopped(options.stop);
        full.caches.push_back(transformer.makeCache(full.tokens));
        full.scores.emplace_back();
        transformer.runLayer({layer, x.view, positions, full.caches.back(), &full.scores.back(),
                              options.scoring});
        full.checkpoints.push_back(transformer.makeRows(full.tokens));
        transformer.backend().copy(full.checkpoints.back().view, x.view);
        if (options.progress) options.progress((layer + 1.0) / layers);
    }
    full.logits = transformer.lastLogits(x.view);
    return full;
}

std::vector<std::int32_t> tspSurvivors(const FullResult& full, const trace::Budgets& budgets) {
    if (!budgets.tspOn) return {};
    const model::LayerScores& scores = full.scores[static_cast<std::size_t>(budgets.tspLayer)];
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
        {full.checkpoints[static_cast<std::size_t>(budgets.tspLayer)].view, late.survivors, x.view});
    const int layers = transformer.config().layers;
    for (int layer = budgets.firstLate(); layer < layers; ++layer) {
        throwIfStopped(options.stop);
        late.caches.push_back(transformer.makeCache(rows));
        late.scores.emplace_back();
        transformer.runLayer({layer, x.view, late.survivors, late.caches.back(),
                              &late.scores.back(), options.scoring});
        if (options.progress)
            options.progress((layer + 1.0 - budgets.firstLate()) / (layers - budgets.firstLate()));
    }
    late.logits = transformer.lastLogits(x.view);
    return late;
}

std::vector<std::vector<std::int32_t>> keptPositions(const FullResult& full, const RerunResult& late,
                                                     const trace::Budgets& budgets, int layer) {
    const bool reduced = layer >= budgets.firstLate();
    const auto index = static_cast<std::size_t>(reduced ? layer - budgets.firstLate() : layer);
    const model::LayerScores& scores = reduced ? late.scores[index] : full.scores[index];
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
        const model::LayerScores& scores = reduced ? late->scores[index] : full.scores[index];
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
                t.buffer = backend.allocate(scores.ranks.size() * sizeof(std::uint32_t), ops::Lifetime::Scratch);
                t.view = {t.buffer->data(), DType::U32, source.kv.kvHeads, scores.scored, scores.scored};
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

}  // namespace fkv::run
