// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/scorer.h"
#include "engine/run/checkpoints.h"
#include "engine/run/loaded_model.h"
#include "engine/run/request.h"
#include "engine/trace/run.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

namespace fkv::run {

/// What every step of a request works with.
struct RunContext {
    LoadedModel& model;
    Gate& gate;
    const std::stop_token& stop;

    model::Transformer& transformer() const { return model.transformer(); }
    int layers() const { return model.config().layers; }
};

inline model::Scoring scoringOf(const trace::Settings& s) {
    return {s.window, s.kernel, s.pooling == trace::Pooling::Average};
}

/// Full context under the same scoring and sampling.
inline trace::Settings fullContext(trace::Settings s) {
    s.method = trace::Method::Full;
    return s;
}

/// Spans of a stretch of work, timed from its own start. A run lays its stretches end to end.
struct Stretch {
    std::vector<trace::Span> spans;
    std::int64_t durationNs = 0;
    std::vector<trace::GpuSample> gpu;
    trace::KernelList kernels;
};

/// One layer of a pass: what a change of scoring or of budgets needs of it.
struct HeldLayer {
    model::LayerCache cache; ///< uncompressed keys and values of the tokens that entered
    ops::Tensor lastQueries; ///< [min(64, S), H d] after RoPE, oldest first
};

/// The full-context pass. Keys, values and checkpoints of `ids` are valid in every layer at any
/// time, also after a pass that was stopped half-way; everything else only while `complete`.
struct HeldFull {
    std::vector<std::int32_t> ids;
    bool complete = false;
    std::uint64_t version = 0;        ///< of keys, values and logits; new with every pass
    std::uint64_t scoringVersion = 0; ///< of the planes; new with every pass and rescoring
    std::vector<HeldLayer> layers;    ///< [L]
    model::LayerCache near; ///< where keys and values that lie on the host come one layer at a time
    Checkpoints checkpoints;
    CheckpointBudget checkpointBudget; ///< that they were chosen by
    Request::Memory asked;             ///< that the budget followed from
    model::Scoring scoring;
    std::shared_ptr<const trace::FullPass> planes;
    std::int64_t reusedTokens = 0; ///< taken over from an earlier prompt
    Stretch stretch;
};

/// Layers after t over the survivors of TSP. With TSP off there are none.
struct HeldRerun {
    bool complete = false;
    std::uint64_t version = 0;
    std::uint64_t scoringVersion = 0; ///< of the full pass it stands on
    bool tspOn = false;
    int tspLayer = 0;
    std::int64_t propagated = 0;
    std::vector<std::int32_t> survivors; ///< [T], ascending; empty when TSP is off
    ops::Tensor positions;               ///< [1, T] the same in backend memory, if windows slide
    /// Keys and values of a layer that is cut are held here, or went while it ran: then of
    /// HeldCompressed alone, and another KV budget may need another rerun.
    bool keptKv = true;
    std::vector<HeldLayer> layers;        ///< at least [L - firstLate]
    std::vector<trace::LayerPlanes> late; ///< [L - firstLate]
    std::vector<float> logits;            ///< [V]
    Stretch stretch;
};

/// The best tokens of every layer in rank order, so that a smaller budget is a prefix.
struct HeldCompressed {
    struct Layer {
        model::LayerCache cache;
        ops::Tensor positions;     ///< [G, capacity] I32 of every slot, if the layer slides
        model::LayerCache window;  ///< the newest tokens, if the whole layer is gone
        std::int64_t count = 0;    ///< tokens of every head
        std::uint64_t version = 0; ///< of the ranks and keys it was gathered by
        std::int64_t gatherNs = 0;
    };
    std::vector<Layer> layers; ///< [L]
};

/// Window and generated tokens of the sequence that is being decoded; reused by the next one.
struct HeldTails {
    std::vector<model::LayerCache> layers; ///< [L]
    ops::Tensor logits;                    ///< [rows of a step, V]
    ops::Tensor picked;                    ///< [2, 1] U32: tokens of this step and of the next
};

/// What a continuation follows from, and how its tokens were chosen.
struct AnswerKey {
    std::uint64_t version = 0;               ///< of the pass
    std::vector<trace::LayerBudget> budgets; ///< what the caches kept; empty for full context
    trace::Sampling sampling;                ///< what is used of it
    bool operator==(const AnswerKey&) const = default;
};

/// An answer; its front is the answer to a request for fewer tokens, since a token depends on those
/// before it and, where it is drawn, on its own place.
struct HeldAnswer {
    std::shared_ptr<const trace::Answer> answer; ///< null: none
    AnswerKey key;
    int generate = 0; ///< tokens that were asked for
    Stretch stretch;
};

/// Steps along the full answer; their front serves a shorter one.
struct HeldFidelity {
    std::shared_ptr<const trace::Fidelity> fidelity; ///< null: none
    AnswerKey key;
};

/// One side of a run on the deployed path, whose caches are gone: what of it is on the host.
struct HeldSide {
    std::vector<std::int32_t> ids; ///< of the prompt; empty: nothing is held
    std::vector<std::int32_t> survivors;
    std::vector<float> logits; ///< [V]
    Stretch prefill;
    double prefillMs = 0.0;
    std::int64_t peakBytes = 0;
    HeldAnswer answer;
    bool compared = false;
    std::vector<float> forced; ///< [full answer's tokens - 1, V] logits along it, if compared
};

struct HeldState {
    std::uint64_t versions = 0; ///< the last one given
    std::shared_ptr<const trace::Prompt> prompt;
    HeldFull full;
    HeldRerun rerun;
    HeldCompressed compressed;
    HeldTails tails;
    HeldAnswer fullAnswer;
    std::vector<float> fullForced; ///< [answer tokens - 1, V] logits along the full answer
    AnswerKey fullForcedKey;       ///< of that answer
    HeldAnswer answer;
    HeldFidelity fidelity;
    HeldSide reference; ///< full context, where there is no room for the instrument

    std::uint64_t nextVersion() { return ++versions; }
    /// Lets go of all but the prompt.
    void release() { *this = HeldState{.versions = versions, .prompt = prompt}; }
};

} // namespace fkv::run
