// SPDX-License-Identifier: Apache-2.0
#include "engine/model/transformer.h"

#include <algorithm>
#include <cmath>

namespace fkv::model {

namespace {

/// Queries kept of the end of a layer: the widest window that can be scored.
constexpr std::int64_t kMostWindow = 64;

ops::Tensor allocate(ops::Backend& backend, std::int64_t rows, std::int64_t cols,
                     DType dtype = DType::F32) {
    const auto bytes = static_cast<std::size_t>(rows * cols) * sizeOf(dtype);
    ops::Tensor t;
    t.buffer = backend.allocate(std::max<std::size_t>(bytes, 1), ops::Lifetime::Session);
    t.view = {t.buffer->data(), dtype, rows, cols, cols};
    return t;
}

ops::View columns(const ops::View& view, std::int64_t count) {
    return {view.data, view.dtype, view.rows, count, view.stride};
}

std::int32_t argMax(std::span<const float> values) {
    return static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace

Transformer::Transformer(const Config& config, const Weights& weights, ops::Backend& backend)
    : m_config(config), m_weights(weights), m_backend(backend) {
    const std::int64_t queries = std::int64_t{config.queryHeads} * config.headDim;
    const std::int64_t fused = queries + 2 * std::int64_t{config.kvHeads} * config.headDim;
    backend.reserve({kChunk, config.contextLength, config.queryHeads, config.kvHeads,
                     config.headDim, config.hidden, config.intermediate, config.vocabulary});
    m_normed = allocate(backend, kChunk, config.hidden);
    m_qkv = allocate(backend, kChunk, fused);
    m_attended = allocate(backend, kChunk, queries);
    m_gateUp = allocate(backend, kChunk, 2 * std::int64_t{config.intermediate});
    m_gated = allocate(backend, kChunk, config.intermediate);
    m_lastQueries = allocate(backend, kMostWindow, queries);
    m_logits = allocate(backend, 1, config.vocabulary);
}

LayerCache Transformer::makeCache(std::int64_t capacity) const {
    const DType dtype = m_backend.info().kvType;
    const auto half = static_cast<std::size_t>(m_config.kvHeads * capacity * m_config.headDim) * sizeOf(dtype);
    LayerCache cache;
    cache.memory = m_backend.allocate(std::max<std::size_t>(2 * half, 1), ops::Lifetime::Session);
    auto* bytes = static_cast<std::byte*>(cache.memory->data());
    cache.kv = {bytes, bytes + half, dtype, m_config.kvHeads, capacity, m_config.headDim, 0};
    return cache;
}

ops::Tensor Transformer::makeRows(std::int64_t rows) const {
    return allocate(m_backend, rows, m_config.hidden);
}

float Transformer::attentionScale() const {
    return 1.0F / std::sqrt(static_cast<float>(m_config.headDim));
}

void Transformer::embed(std::span<const std::int32_t> ids, const ops::View& out) {
    m_backend.embed({ids, m_weights.embedding, out});
}

void Transformer::attendChunk(const LayerRun& run, std::int64_t begin, std::int64_t rows) {
    const ops::LayerWeights& w = m_weights.layers[static_cast<std::size_t>(run.layer)];
    const std::int64_t queryCols = m_attended.view.cols;
    const ops::View x = run.x.rowsFrom(begin, rows);
    const ops::View normed = m_normed.view.rowsFrom(0, rows);
    const ops::View qkv = m_qkv.view.rowsFrom(0, rows);
    const ops::View attended = m_attended.view.rowsFrom(0, rows);
    m_backend.rmsNorm({x, w.inputNorm, m_config.rmsEps, normed});
    m_backend.linear({normed, w.qkv, w.qkvBias, qkv, false});
    m_backend.ropeAppend({qkv, run.positions.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(rows)),
                          m_weights.cosTable, m_weights.sinTable, m_config.queryHeads,
                          run.cache.kv, begin});
    run.cache.kv.length = begin + rows;
    const ops::View queries = columns(qkv, queryCols);
    ops::AttentionParams attention{};
    attention.queries = queries;
    attention.out = attended;
    attention.ranges[0] = {run.cache.kv, begin, {}};
    attention.rangeCount = 1;
    attention.queryHeads = m_config.queryHeads;
    attention.scale = attentionScale();
    m_backend.attention(attention);
    m_backend.linear({attended, w.out, {}, x, true});

    // The window may begin in an earlier chunk, so its queries are carried along.
    const std::int64_t total = run.x.rows;
    const std::int64_t keep = std::min(kMostWindow, total);
    for (std::int64_t row = std::max(begin, total - keep); row < begin + rows; ++row)
        m_backend.copy(m_lastQueries.view.rowsFrom(row - (total - keep), 1), queries.rowsFrom(row - begin, 1));
}

void Transformer::feedForward(const ops::LayerWeights& w, const ops::View& x) {
    const ops::View normed = m_normed.view.rowsFrom(0, x.rows);
    const ops::View gateUp = m_gateUp.view.rowsFrom(0, x.rows);
    const ops::View gated = m_gated.view.rowsFrom(0, x.rows);
    m_backend.rmsNorm({x, w.postNorm, m_config.rmsEps, normed});
    m_backend.linear({normed, w.gateUp, {}, gateUp, false});
    m_backend.swiglu({gateUp, gated});
    m_backend.linear({gated, w.down, {}, x, true});
}

void Transformer::score(const LayerRun& run) {
    LayerScores& s = *run.scores;
    const std::int64_t tokens = run.x.rows;
    const std::int64_t window = run.scoring.window;
    s.scored = std::max<std::int64_t>(0, tokens - window);
    const std::int64_t m = s.scored;
    if (m == 0) return;
    const ops::Tensor sums = allocate(m_backend, m_config.queryHeads, m);
    const ops::Tensor saliency = allocate(m_backend, m_config.kvHeads, m);
    const ops::Tensor total = allocate(m_backend, 1, m);
    const ops::Tensor ranks = allocate(m_backend, m_config.kvHeads, m, DType::U32);
    const ops::Tensor tspRanks = allocate(m_backend, 1, m, DType::U32);
    const std::int64_t held = std::min(kMostWindow, tokens);
    m_backend.windowSums({m_lastQueries.view.rowsFrom(held - window, window), run.cache.kv,
                          m_config.queryHeads, attentionScale(), sums.view});
    m_backend.saliency({sums.view, m_config.kvHeads, run.scoring.kernel, run.scoring.average,
                        saliency.view, total.view});
    m_backend.ranks({saliency.view, ranks.view});
    m_backend.ranks({total.view, tspRanks.view});
    const auto read = [&](auto& to, const ops::View& from) {
        to.resize(static_cast<std::size_t>(from.elements()));
        m_backend.readback(to.data(), from);
    };
    read(s.windowSums, sums.view);
    read(s.saliency, saliency.view);
    read(s.total, total.view);
    read(s.ranks, ranks.view);
    read(s.tspRanks, tspRanks.view);
    m_backend.synchronize();
}

void Transformer::runLayer(const LayerRun& run) {
    for (std::int64_t begin = 0; begin < run.x.rows; begin += kChunk) {
        const std::int64_t rows = std::min(kChunk, run.x.rows - begin);
        attendChunk(run, begin, rows);
        feedForward(m_weights.layers[static_cast<std::size_t>(run.layer)], run.x.rowsFrom(begin, rows));
    }
    if (run.scores != nullptr) score(run);
}

std::vector<float> Transformer::lastLogits(const ops::View& x) {
    m_backend.head({x.rowsFrom(x.rows - 1, 1), m_weights.finalNorm, m_config.rmsEps,
                    m_weights.lmHead, m_logits.view});
    std::vector<float> logits(static_cast<std::size_t>(m_config.vocabulary));
    m_backend.readback(logits.data(), m_logits.view);
    m_backend.synchronize();
    return logits;
}

std::vector<std::int32_t> Transformer::greedy(const GreedyRun& run) {
    std::vector<std::int32_t> tokens;
    std::vector<float> logits(run.firstLogits.begin(), run.firstLogits.end());
    while (static_cast<int>(tokens.size()) < run.count) {
        const std::int32_t next = argMax(logits);
        tokens.push_back(next);
        const bool ends = std::find(m_config.eos.begin(), m_config.eos.end(), next) != m_config.eos.end();
        if ((ends && run.stopAtEos) || static_cast<int>(tokens.size()) == run.count) break;
        m_backend.decodeStep({std::span<const std::int32_t>(&tokens.back(), 1),
                              run.position + static_cast<std::int64_t>(tokens.size()) - 1,
                              run.layers, m_weights.embedding, m_weights.finalNorm,
                              m_weights.lmHead, m_weights.cosTable, m_weights.sinTable,
                              m_config.queryHeads, m_config.rmsEps, m_logits.view});
        m_backend.readback(logits.data(), m_logits.view);
        m_backend.synchronize();
    }
    return tokens;
}

}  // namespace fkv::model
