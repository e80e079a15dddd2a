// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/scorer.h"
#include "engine/trace/settings.h"

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

namespace fkv::run {

/// What a layer's selection needs, on the host (SPEC section 1). M = S - w, 0 when S <= w.
struct LayerScores {
    std::int64_t scored = 0;             ///< M
    std::vector<float> windowSums;       ///< [H, M]
    std::vector<float> saliency;         ///< [G, M]
    std::vector<float> total;            ///< [M], summed over groups
    std::vector<std::uint32_t> ranks;    ///< [G, M]
    std::vector<std::uint32_t> tspRanks; ///< [M]
};

/// A prefill with everything that makes a rerun cheap. Layer l of `caches` and `scores` is layer l
/// of the model; `checkpoints` hold the hidden states after each layer.
struct FullResult {
    std::vector<model::LayerCache> caches; ///< [L], uncompressed, by position
    std::vector<LayerScores> scores;       ///< [L]
    std::vector<ops::Tensor> checkpoints;  ///< [L] of [N, hidden]
    std::vector<float> logits;             ///< [V]
    std::int64_t tokens = 0;               ///< N
};

/// Layers after t over the survivors of TSP. Empty vectors when TSP is off.
struct RerunResult {
    std::vector<std::int32_t> survivors;   ///< [T], ascending
    std::vector<model::LayerCache> caches; ///< [L - firstLate]
    std::vector<LayerScores> scores;       ///< [L - firstLate]
    std::vector<float> logits;             ///< [V]
};

struct PassOptions {
    model::Scoring scoring;
    std::function<void(double)> progress; ///< fraction in [0, 1], may be empty
    std::stop_token stop;                 ///< checked before every layer
};

/// Full-context prefill with capture of every layer. `ids` are 1 to contextLength tokens.
FullResult fullPass(model::Transformer& transformer, std::span<const std::int32_t> ids,
                    const PassOptions& options);

/// The TSP set of `budgets` from the full pass' ranks of layer t: best T - w and the window.
std::vector<std::int32_t> tspSurvivors(const FullResult& full, const trace::Budgets& budgets);

/// FastKV from the checkpoint at t on (SPEC section 3). With TSP off nothing runs and the logits
/// are the full pass'.
RerunResult rerun(model::Transformer& transformer, const FullResult& full,
                  const trace::Budgets& budgets, const PassOptions& options);

/// Ascending kept positions of every head of a layer, C each (SPEC section 2).
std::vector<std::vector<std::int32_t>> keptPositions(const FullResult& full,
                                                     const RerunResult& late,
                                                     const trace::Budgets& budgets, int layer);

/// A cache to decode from: per layer the kept scored tokens in rank order (whole and unpermuted
/// when C >= S) and a tail with the window and room for generated tokens. Holds its memory.
struct DecodeCache {
    std::vector<ops::DecodeLayer> layers; ///< [L]
    std::vector<model::LayerCache> memory;
};
/// `late` may be null: full context. `room` is the number of tokens to be generated.
DecodeCache decodeCache(model::Transformer& transformer, const FullResult& full,
                        const RerunResult* late, const trace::Budgets& budgets, std::int64_t room);

/// One greedy continuation of at most `count` tokens, the first being arg max of `firstLogits`;
/// stops after an end-of-sequence id. Tails must have room for `count` tokens. With `stopAtEos`
/// false it always gives `count` tokens.
struct GreedyRun {
    std::span<const float> firstLogits;
    std::span<ops::DecodeLayer> layers;
    std::int64_t position; ///< of the first generated token: N
    int count;
    bool stopAtEos;
};
std::vector<std::int32_t> greedy(model::Transformer& transformer, const GreedyRun& run);

} // namespace fkv::run
