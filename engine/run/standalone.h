// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"
#include "engine/run/plane_capture.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace fkv::run {

/// The deployed path: prefill that compresses layer by layer, runs only rows that somebody reads
/// (SPEC section 3) and keeps nothing but the caches to decode from. All memory is made once, so
/// that repetitions do not pay for it.
class Standalone {
public:
    struct Prompt {
        std::span<const std::int32_t> ids; ///< [N], must outlive this
        const trace::Budgets& budgets;     ///< must outlive this; whole caches are full context
        model::Scoring scoring;
        std::function<void(int layer)> progress = {}; ///< before each layer; may be empty
    };
    Standalone(const RunContext& context, const Prompt& prompt);

    /// One prefill, whose spans are named by `pass`; returns its milliseconds, the sum of its ops:
    /// waiting for the gate is not counted.
    double run(trace::PassKind pass = trace::PassKind::Standalone);
    /// The same, untimed, with the planes of the layers after t.
    std::vector<trace::LayerPlanes> runWithPlanes();

    /// The caches of the last run to decode from, with room for so many tokens. The prefixes are
    /// read in place, so they live as long as this.
    struct DecodeCache {
        std::vector<ops::DecodeLayer> layers;
        std::vector<model::LayerCache> tails;
    };
    DecodeCache decodeCache(std::int64_t room);

    const std::vector<float>& logits() const { return m_logits; }              ///< of the last run
    const std::vector<std::int32_t>& survivors() const { return m_survivors; } ///< of the last run
    const std::vector<trace::Span>& spans() const { return m_spans; }          ///< of the last run
    const trace::KernelList& kernels() const { return m_kernels; }             ///< of the last run
    std::int64_t bytes() const {
        return m_bytes;
    } ///< in backend memory, beside weights and scratch

private:
    /// Where a layer's keys end up.
    struct Layer {
        model::LayerCache whole;  ///< [S] when nothing is cut
        model::LayerCache best;   ///< [C - w] in rank order
        ops::Tensor positions;    ///< [G, C - w] I32 of best, if the layer slides
        model::LayerCache window; ///< [w]
    };
    bool cuts(int layer) const;
    ops::View positionsIn(int layer) const;
    void pass(PassScope& scope, PlaneCapture* planes);
    void runLayer(int layer, PassScope& scope, PlaneCapture* planes);
    void runTspLayer(ops::KvView& kv, PassScope& scope, PlaneCapture* planes);
    const model::Scorer::Views& score(int layer, const ops::KvView& kv, PassScope& scope,
                                      PlaneCapture* planes);
    void compress(int layer, const ops::KvView& kv, const model::Scorer::Views& scores,
                  PassScope& scope);
    void select(const model::Scorer::Views& scores, PassScope& scope);

    RunContext m_context;
    Prompt m_prompt;
    ops::Tensor m_rows;         ///< [N, hidden]
    ops::Tensor m_survivorRows; ///< [T, hidden]
    model::LayerCache m_work;   ///< keys and values of the layer being run, before they are cut
    ops::Tensor m_lastQueries;  ///< [min(64, N), H d]
    std::optional<model::Scorer> m_scorer;
    std::vector<Layer> m_layers;
    std::vector<std::int32_t> m_positions;
    std::vector<std::uint32_t> m_tspRanks;
    ops::Tensor m_survivorPositions; ///< [1, T] I32, if any layer slides
    std::int64_t m_bytes = 0;

    ops::View m_x;                            ///< rows that enter the next layer
    std::span<const std::int32_t> m_entering; ///< their positions
    std::vector<std::int32_t> m_survivors, m_visible;
    std::vector<float> m_logits;
    std::vector<trace::Span> m_spans;
    trace::KernelList m_kernels;
};

/// The most that a run of it holds: weights, scratch and its own, without generated tokens.
std::int64_t peakOf(const LoadedModel& model, const Standalone& pass);

} // namespace fkv::run
