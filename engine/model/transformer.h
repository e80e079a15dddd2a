// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/config.h"
#include "engine/model/weights.h"
#include "engine/ops/backend.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::model {

/// Keys and values of one layer with their memory.
struct LayerCache {
    ops::BufferPtr memory;
    ops::KvView kv;  ///< [G, capacity, d] each
};

/// What a layer's selection needs, on the host (SPEC section 1). M = S - w, 0 when S <= w.
struct LayerScores {
    std::int64_t scored = 0;               ///< M
    std::vector<float> windowSums;         ///< [H, M]
    std::vector<float> saliency;           ///< [G, M]
    std::vector<float> total;              ///< [M], summed over groups
    std::vector<std::uint32_t> ranks;      ///< [G, M]
    std::vector<std::uint32_t> tspRanks;   ///< [M]
};

struct Scoring {
    int window = 8;
    int kernel = 7;
    bool average = false;
};

/// The blocks of a Llama model over one backend. Prefill runs layer by layer in chunks of kChunk
/// tokens; chunk sizes are constants, so that two runs give the same bits. Borrows its arguments.
class Transformer {
public:
    static constexpr std::int64_t kChunk = 512;

    Transformer(const Config& config, const Weights& weights, ops::Backend& backend);

    LayerCache makeCache(std::int64_t capacity) const;
    ops::Tensor makeRows(std::int64_t rows) const;  ///< [rows, hidden]

    void embed(std::span<const std::int32_t> ids, const ops::View& out);
    /// Runs `layer` over all rows of x [S, hidden] in place, fills `cache` (capacity >= S) from its
    /// start, and scores the keys when `scores` is given.
    struct LayerRun {
        int layer;
        ops::View x;
        std::span<const std::int32_t> positions;  ///< [S], ascending original positions
        LayerCache& cache;
        LayerScores* scores;
        Scoring scoring;
    };
    void runLayer(const LayerRun& run);
    /// Logits [V] of the last row of x.
    std::vector<float> lastLogits(const ops::View& x);

    /// One greedy continuation of at most `count` tokens, the first being arg max of `firstLogits`;
    /// stops after an end-of-sequence id. Tails must have room for `count` tokens. With `stopAtEos`
    /// false it always gives `count` tokens.
    struct GreedyRun {
        std::span<const float> firstLogits;
        std::span<ops::DecodeLayer> layers;
        std::int64_t position;  ///< of the first generated token: N
        int count;
        bool stopAtEos;
    };
    std::vector<std::int32_t> greedy(const GreedyRun& run);

    const Config& config() const { return m_config; }
    const Weights& weights() const { return m_weights; }
    ops::Backend& backend() { return m_backend; }

private:
    void attendChunk(const LayerRun& run, std::int64_t begin, std::int64_t rows);
    void feedForward(const ops::LayerWeights& w, const ops::View& x);
    void score(const LayerRun& run);
    float attentionScale() const;

    const Config& m_config;
    const Weights& m_weights;
    ops::Backend& m_backend;
    ops::Tensor m_normed;     ///< [kChunk, hidden]
    ops::Tensor m_qkv;        ///< [kChunk, (H + 2 G) d]
    ops::Tensor m_attended;   ///< [kChunk, H d]
    ops::Tensor m_gateUp;     ///< [kChunk, 2 F]
    ops::Tensor m_gated;      ///< [kChunk, F]
    ops::Tensor m_lastQueries;///< [kMostWindow, H d], the newest post-RoPE queries, oldest first
    ops::Tensor m_logits;     ///< [1, V]
};

}  // namespace fkv::model
