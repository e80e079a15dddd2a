// SPDX-License-Identifier: Apache-2.0
#include "engine/model/transformer.h"

#include "engine/model/sliding.h"

#include <algorithm>
#include <cmath>

namespace fkv::model {

using trace::Zone;

/// Rows [begin, begin + rows) of x; the first `dead` of them only append keys and values.
struct Transformer::Chunk {
    std::int64_t begin, rows, dead;
    std::span<const std::int32_t> positions;
};

namespace {

/// A view of scratch as [rows, cols] without gaps.
ops::View packed(const ops::Tensor& scratch, std::int64_t rows, std::int64_t cols) {
    return {scratch.view.data, scratch.view.dtype, rows, cols, cols};
}

std::span<const std::int32_t> part(std::span<const std::int32_t> all, std::int64_t begin,
                                   std::int64_t count) {
    return all.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
}

/// What a layer's window hides from its rows.
struct Slides {
    std::int64_t window = 0;          ///< in places, of rows whose tokens stand without gaps
    std::vector<std::int32_t> firsts; ///< [R], of rows whose tokens do not

    Slides(std::int64_t layerWindow, const Transformer::LayerRun& run) {
        if (layerWindow == 0 || run.positions.empty() || run.positions.back() < layerWindow) return;
        const std::int64_t tokens = run.from + run.x.rows;
        if (run.positions.back() + 1 == tokens)
            window = layerWindow;
        else
            firsts = firstsInSight(run.positions, layerWindow); // all of the layer: see LayerRun
    }
};

} // namespace

Transformer::Transformer(const Config& config, const Weights& weights, ops::Backend& backend)
    : m_config(config),
      m_weights(weights),
      m_backend(backend),
      m_memory(backend),
      m_queryCols(std::int64_t{config.queryHeads} * config.headDim),
      m_keyCols(2 * std::int64_t{config.kvHeads} * config.headDim) {
    backend.reserve({chunkRows(), config.contextLength, config.queryHeads, config.kvHeads,
                     config.headDim, config.hidden, config.intermediate, config.vocabulary});
    const DType activation = backend.info().weightType;
    m_normed = m_memory.matrix(chunkRows(), config.hidden, activation);
    m_qkv = m_memory.matrix(chunkRows(), m_queryCols + m_keyCols, activation);
    m_attended = m_memory.matrix(chunkRows(), m_queryCols, activation);
    m_gateUp = m_memory.matrix(chunkRows(), 2 * std::int64_t{config.intermediate}, activation);
    m_gated = m_memory.matrix(chunkRows(), config.intermediate, activation);
    m_logits = m_memory.matrix(1, config.vocabulary);
    m_scratchBytes = m_memory.heldBytes();
}

ops::BufferPtr Transformer::bytes(std::int64_t count, ops::Place place) {
    return place == ops::Place::Device ? m_memory.bytes(count)
                                       : m_backend.allocateOnHost(static_cast<std::size_t>(
                                             std::max<std::int64_t>(count, 1)));
}

LayerCache Transformer::makeCache(std::int64_t capacity, ops::Place place) {
    const DType dtype = m_backend.info().kvType;
    const std::int64_t half =
        m_config.kvHeads * capacity * m_config.headDim * static_cast<std::int64_t>(sizeOf(dtype));
    LayerCache cache{bytes(2 * half, place), {}, place};
    auto* bytes = static_cast<std::byte*>(cache.memory->data());
    cache.kv = {bytes, bytes + half, dtype, m_config.kvHeads, capacity, m_config.headDim, 0};
    return cache;
}

ops::Tensor Transformer::makeRows(std::int64_t rows, ops::Place place) {
    const DType dtype = m_backend.info().weightType;
    const std::int64_t cols = m_config.hidden;
    ops::Tensor t{bytes(rows * cols * static_cast<std::int64_t>(sizeOf(dtype)), place), {}};
    t.view = {t.buffer->data(), dtype, rows, cols, cols};
    return t;
}

ops::Tensor Transformer::makeLastQueries(std::int64_t tokens) {
    return m_memory.matrix(std::min(kMostWindow, tokens), m_queryCols, m_backend.info().weightType);
}

float Transformer::attentionScale() const {
    return 1.0F / std::sqrt(static_cast<float>(m_config.headDim));
}

void Transformer::embed(std::span<const std::int32_t> ids, const ops::View& out, PassScope& scope) {
    for (std::int64_t begin = 0; begin < out.rows; begin += chunkRows()) {
        const std::int64_t rows = std::min(chunkRows(), out.rows - begin);
        scope.op(Zone::Embed, rows, [&] {
            m_backend.embed(
                {part(ids, begin, rows), m_weights.embedding, out.rowsFrom(begin, rows)});
        });
    }
}

void Transformer::runLayer(const LayerRun& run, PassScope& scope) {
    const Slides slides(m_config.slidingWindow(run.layer), run);
    const ops::LayerWeights& w = m_weights.layers[static_cast<std::size_t>(run.layer)];
    for (std::int64_t begin = 0; begin < run.x.rows; begin += chunkRows()) {
        const std::int64_t rows = std::min(chunkRows(), run.x.rows - begin);
        const Chunk chunk{begin, rows, std::clamp<std::int64_t>(run.live - begin, 0, rows),
                          part(run.positions, begin, rows)};
        scope.op(Zone::Norm, rows, [&] {
            m_backend.rmsNorm({run.x.rowsFrom(begin, rows), w.inputNorm, m_config.rmsEps,
                               m_normed.view.rowsFrom(0, rows)});
        });
        appendKeys(run, chunk, scope);
        if (chunk.dead == rows) continue;
        const std::int64_t live = rows - chunk.dead;
        ops::View queries = m_qkv.view.rowsFrom(chunk.dead, live);
        queries.cols = m_queryCols;
        ops::KvRange range{run.kv, run.from + begin + chunk.dead};
        if (slides.window > 0) range.window = slides.window;
        if (!slides.firsts.empty()) range.firstRows = part(slides.firsts, begin + chunk.dead, live);
        attend(queries, range, scope);
        keepQueries(run, chunk, scope);
        finishRows(run.layer, run.x.rowsFrom(begin + chunk.dead, live),
                   m_attended.view.rowsFrom(0, live), scope);
    }
}

void Transformer::appendKeys(const LayerRun& run, const Chunk& chunk, PassScope& scope) {
    const ops::LayerWeights& w = m_weights.layers[static_cast<std::size_t>(run.layer)];
    // Rows that nobody reads need no queries: keys and values alone, from the weights' lower part.
    const bool keysOnly = chunk.dead == chunk.rows;
    const std::int64_t skipped = keysOnly ? m_queryCols : 0;
    const std::int64_t cols = m_queryCols + m_keyCols - skipped;
    const ops::View qkv = packed(m_qkv, chunk.rows, cols);
    ops::View bias = w.qkvBias;
    if (bias.data != nullptr && keysOnly)
        bias = {static_cast<std::byte*>(bias.data) +
                    static_cast<std::size_t>(skipped) * sizeOf(bias.dtype),
                bias.dtype, 1, cols, cols};
    scope.op(Zone::Qkv, chunk.rows, [&] {
        m_backend.linear({m_normed.view.rowsFrom(0, chunk.rows), w.qkv.rowsFrom(skipped, cols),
                          bias, qkv, false});
    });
    const std::int64_t at = run.from + chunk.begin;
    run.kv.length = at;
    scope.op(Zone::Rope, chunk.rows, [&] {
        ops::RopeAppendParams append = rope(run.layer, qkv, chunk.positions);
        append.queryHeads = keysOnly ? 0 : m_config.queryHeads;
        append.cache = run.kv;
        append.at = at;
        m_backend.ropeAppend(append);
    });
    run.kv.length = at + chunk.rows;
}

void Transformer::attend(const ops::View& queries, const ops::KvRange& range, PassScope& scope) {
    // The longer the keys, the fewer rows an op takes: between ops a pass can be stopped or held.
    const std::int64_t pairs = m_backend.info().attentionPairs;
    constexpr std::int64_t kLeastRows = 64;
    const std::int64_t piece = std::max(
        kLeastRows, pairs / std::max<std::int64_t>(range.kv.length, 1) / kLeastRows * kLeastRows);
    for (std::int64_t begin = 0; begin < queries.rows; begin += piece) {
        const std::int64_t rows = std::min(piece, queries.rows - begin);
        ops::AttentionParams attention{};
        attention.queries = queries.rowsFrom(begin, rows);
        attention.out = m_attended.view.rowsFrom(begin, rows);
        attention.ranges[0] = range;
        if (range.visibleRows.empty())
            attention.ranges[0].causalOffset += begin;
        else
            attention.ranges[0].visibleRows = part(range.visibleRows, begin, rows);
        if (!range.firstRows.empty())
            attention.ranges[0].firstRows = part(range.firstRows, begin, rows);
        attention.rangeCount = 1;
        attention.queryHeads = m_config.queryHeads;
        attention.scale = attentionScale();
        scope.op(Zone::Attention, rows, [&] { m_backend.attention(attention); });
    }
}

void Transformer::keepQueries(const LayerRun& run, const Chunk& chunk, PassScope& scope) {
    // The window may begin in an earlier chunk, so its queries are carried along.
    const std::int64_t keep = run.lastQueries.rows;
    const std::int64_t first = std::max(chunk.begin, run.x.rows - keep);
    const std::int64_t count = chunk.begin + chunk.rows - first;
    if (keep == 0 || count <= 0) return;
    ops::View queries = m_qkv.view.rowsFrom(first - chunk.begin, count);
    queries.cols = m_queryCols;
    scope.op(Zone::Capture, count, [&] {
        m_backend.copy(run.lastQueries.rowsFrom(first - (run.x.rows - keep), count), queries);
    });
}

ops::RopeAppendParams Transformer::rope(int layer, const ops::View& qkv,
                                        std::span<const std::int32_t> positions) const {
    const ops::LayerWeights& w = m_weights.layers[static_cast<std::size_t>(layer)];
    ops::RopeAppendParams p{};
    p.qkv = qkv;
    p.positions = positions;
    p.cosTable = m_weights.cosTable;
    p.sinTable = m_weights.sinTable;
    p.queryHeads = m_config.queryHeads;
    p.queryNorm = w.queryNorm;
    p.keyNorm = w.keyNorm;
    p.eps = m_config.rmsEps;
    return p;
}

void Transformer::projectQueries(int layer, const ops::View& x,
                                 std::span<const std::int32_t> positions, PassScope& scope) {
    const ops::LayerWeights& w = m_weights.layers[static_cast<std::size_t>(layer)];
    const ops::View normed = m_normed.view.rowsFrom(0, x.rows);
    const ops::View queries = packed(m_qkv, x.rows, m_queryCols);
    ops::View bias = w.qkvBias;
    if (bias.data != nullptr) bias.cols = m_queryCols;
    ops::KvView noKeys;
    noKeys.dtype = m_backend.info().kvType;
    noKeys.headDim = m_config.headDim;
    scope.op(Zone::Norm, x.rows, [&] {
        m_backend.rmsNorm({x, w.inputNorm, m_config.rmsEps, normed});
    });
    scope.op(Zone::Qkv, x.rows, [&] {
        m_backend.linear({normed, w.qkv.rowsFrom(0, m_queryCols), bias, queries, false});
    });
    scope.op(Zone::Rope, x.rows, [&] {
        ops::RopeAppendParams rotate = rope(layer, queries, positions);
        rotate.cache = noKeys;
        m_backend.ropeAppend(rotate);
    });
}

void Transformer::finishRows(int layer, const ops::View& x, const ops::View& attended,
                             PassScope& scope) {
    const ops::LayerWeights& w = m_weights.layers[static_cast<std::size_t>(layer)];
    const ops::View normed = m_normed.view.rowsFrom(0, x.rows);
    const ops::View gateUp = m_gateUp.view.rowsFrom(0, x.rows);
    const ops::View gated = m_gated.view.rowsFrom(0, x.rows);
    scope.op(Zone::OutProj, x.rows, [&] { m_backend.linear({attended, w.out, {}, x, true}); });
    scope.op(Zone::Norm, x.rows, [&] {
        m_backend.rmsNorm({x, w.postNorm, m_config.rmsEps, normed});
    });
    scope.op(Zone::Mlp, x.rows, [&] { m_backend.linear({normed, w.gateUp, {}, gateUp, false}); });
    scope.op(Zone::Mlp, x.rows, [&] { m_backend.swiglu({gateUp, gated}); });
    scope.op(Zone::Mlp, x.rows, [&] { m_backend.linear({gated, w.down, {}, x, true}); });
}

void Transformer::runRows(const RowsRun& run, PassScope& scope) {
    // Tokens of kv stand at their positions, so the window counts places as it counts positions.
    const std::int64_t window = m_config.slidingWindow(run.layer);
    for (std::int64_t begin = 0; begin < run.x.rows; begin += chunkRows()) {
        const std::int64_t rows = std::min(chunkRows(), run.x.rows - begin);
        const ops::View x = run.x.rowsFrom(begin, rows);
        projectQueries(run.layer, x, part(run.positions, begin, rows), scope);
        ops::KvRange range{run.kv, 0, part(run.visible, begin, rows)};
        if (window > 0) range.window = window;
        attend(packed(m_qkv, rows, m_queryCols), range, scope);
        finishRows(run.layer, x, m_attended.view.rowsFrom(0, rows), scope);
    }
}

void Transformer::queries(const QueriesRun& run, PassScope& scope) {
    projectQueries(run.layer, run.x, run.positions, scope);
    scope.op(Zone::Qkv, run.x.rows,
             [&] { m_backend.copy(run.out, packed(m_qkv, run.x.rows, m_queryCols)); });
}

std::vector<float> Transformer::lastLogits(const ops::View& x, PassScope& scope) {
    std::vector<float> logits(static_cast<std::size_t>(m_config.vocabulary));
    scope.op(Zone::Head, 1, [&] {
        m_backend.head({x.rowsFrom(x.rows - 1, 1), m_weights.finalNorm, m_config.rmsEps,
                        m_weights.lmHead, m_logits.view});
        m_backend.readback(logits.data(), m_logits.view);
        m_backend.synchronize();
    });
    return logits;
}

ops::DecodePlan Transformer::decodePlan(std::span<const std::int32_t> tokens, std::int64_t position,
                                        std::span<ops::DecodeLayer> layers,
                                        const ops::View& logits) const {
    return {tokens,
            position,
            layers,
            m_weights.embedding,
            m_weights.finalNorm,
            m_weights.lmHead,
            m_weights.cosTable,
            m_weights.sinTable,
            m_config.queryHeads,
            m_config.rmsEps,
            logits};
}

} // namespace fkv::model
