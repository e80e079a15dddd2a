// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/answer.h"
#include "engine/trace/gpu_state.h"
#include "engine/trace/kernels.h"
#include "engine/trace/plane.h"
#include "engine/trace/rank_levels.h"
#include "engine/trace/settings.h"
#include "engine/trace/tables.h"
#include "engine/trace/window_sums.h"
#include "engine/trace/zones.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fkv::trace {

/// Where a value comes from; carried by the data so that no view can forget it (VIEWS section 1).
enum class State : std::uint8_t { Exact, Preview, Composed, Pending, Recorded };

struct ModelInfo {
    std::string name;  ///< folder name or title
    std::string path;  ///< folder it was loaded from; may be gone when a trace is opened elsewhere
    int layers = 0;
    int queryHeads = 0;  ///< H
    int kvHeads = 0;     ///< G
    int headDim = 0;     ///< d
    int hidden = 0;
    int intermediate = 0;  ///< width of the MLP; 0 when not known (older traces)
    int vocabulary = 0;
    std::int64_t contextLength = 0;
    std::int64_t weightBytes = 0;   ///< as held in memory
    /// Of them, what one decoded token reads: all but tables and an embedding that is no head. 0
    /// when not known (older traces).
    std::int64_t stepWeightBytes = 0;
    std::int64_t kvElementBytes = 4;  ///< bytes of one cached value on this backend
    /// FNV-1a of the config and tensor list; says whether a trace belongs to a model folder.
    std::uint64_t fingerprint = 0;

    int groupSize() const { return kvHeads > 0 ? queryHeads / kvHeads : 0; }
    /// Bytes of keys and values one token costs in one KV head.
    std::int64_t kvBytesPerTokenHead() const { return 2 * headDim * kvElementBytes; }
};

struct Machine {
    std::string device;      ///< "CPU" or the GPU's name
    std::string cpu;
    int threads = 0;
    std::string blas;
    std::string version;     ///< of this program
    std::string dateUtc;     ///< ISO 8601
};

/// What a model's chat template was given to make the prompt's text of.
struct ChatParts {
    std::string system;  ///< may be empty: no system message
    std::string user;
    std::string date;    ///< the day that the template was told, "2026-01-31"
    bool operator==(const ChatParts&) const = default;
};

/// The prompt as tokens. Token i covers bytes [begin, end) of `text`; BOS covers none.
struct Prompt {
    std::string text;
    std::vector<std::int32_t> ids;                                ///< [N]
    std::vector<std::pair<std::uint32_t, std::uint32_t>> bytes;   ///< [N]
    std::vector<std::string> pieces;  ///< vocabulary pieces of ids without text, e.g. "<s>"; [N]
    std::string expected;             ///< expected answer, or empty
    std::optional<ChatParts> chat;    ///< absent: `text` is the prompt as it was typed

    std::int64_t size() const { return static_cast<std::int64_t>(ids.size()); }
    /// Text of token i, or its piece when it covers no text.
    std::string tokenText(std::int64_t i) const;
};

/// Planes of one layer. Columns are scored tokens: S - w of them (the window has no score).
/// In the full pass column = prompt position; after TSP column j is the j-th survivor.
struct LayerPlanes {
    PlanePtr<std::uint32_t> ranks;               ///< [G, S-w], 0 = best, a permutation per row
    std::shared_ptr<const RankLevels> levels;    ///< of ranks, in the full pass; null elsewhere
    std::shared_ptr<const WindowSums> sums;      ///< [H, S-w], may be null
    PlanePtr<float> saliency;                    ///< [G, S-w], may be null
};

/// The full-context pass: independent of TSP and KV settings.
struct FullPass {
    int window = 8;
    int kernel = 7;
    Pooling pooling = Pooling::Max;
    std::vector<LayerPlanes> layers;             ///< [L]
    PlanePtr<std::uint32_t> tspRanks;            ///< [L, N-w], rank by saliency summed over groups
    PlanePtr<float> mass;                        ///< [L, N-w], window sums summed over heads
    std::shared_ptr<const Tables> tables;        ///< curves by K; null until computed
    std::vector<float> logits;                   ///< [V], of the last prompt token
    std::int64_t notANumber = 0;                 ///< scores that were NaN (ranked last)
};

/// FastKV under `settings`, after its rerun.
struct FastKvPass {
    Settings settings;
    Budgets budgets;
    std::vector<std::int32_t> survivors;  ///< [T] positions, ascending; empty when TSP is off
    std::vector<LayerPlanes> late;        ///< [L - firstLate], compacted axis
    std::vector<float> logits;            ///< [V]
    bool standalone = false;              ///< measured on the deployed path, not composed
};

/// How much of an analysis a device's memory had room for. Each gives up more than the one before.
enum class Rung : std::uint8_t {
    Everything,
    FewerCheckpoints, ///< less is held, checkpoints first: changes cost more, and nothing is missing
    Deployed,         ///< both sides on the deployed path: answers and times, nothing to look into
    FastKvAlone       ///< the same without full context: nothing to compare with
};
inline constexpr std::array<std::string_view, 4> kRungs{"everything", "fewer_checkpoints",
                                                        "deployed", "fastkv_alone"};
inline std::string_view name(Rung rung) {
    return kRungs[static_cast<std::size_t>(rung)];
}

/// Counters by name; bytes unless the name says otherwise.
struct Counters {
    std::int64_t kvBytesFull = 0;       ///< full KV the instrument holds
    std::int64_t checkpointBytes = 0;
    std::int64_t planeBytes = 0;
    std::int64_t scratchBytes = 0;
    std::int64_t heldBytes = 0;         ///< all of it, weights included
    std::int64_t peakBytes = 0;         ///< the most that was held at once
    std::int64_t standaloneFullPeakBytes = 0;    ///< of the measured deployed path; 0: not measured
    std::int64_t standaloneFastKvPeakBytes = 0;
    std::string givenUp;                ///< what did not fit, in words; empty if nothing
    std::vector<std::int32_t> checkpointLayers;  ///< layers whose output is held; ascending
};

/// What the device does at most, as measured on it: the floor of a pass is its operations over the
/// one, that of a decoded token its bytes over the other.
struct DevicePeaks {
    double flopPerSecond = 0.0;  ///< of a large matrix product of the weight type
    double bytesPerSecond = 0.0; ///< read and written by a large copy
    bool operator==(const DevicePeaks&) const = default;
};

/// Milliseconds that need more than adding spans. Absent values were not measured.
struct Timing {
    std::vector<Span> spans;
    std::vector<GpuSample> gpu;                      ///< ascending in time; empty on the CPU
    KernelList kernels;                              ///< when they were asked for
    std::optional<double> fullPrefillMs;             ///< without capture and checkpoints
    std::optional<double> fullPrefillWithCaptureMs;
    std::optional<double> fastKvPrefillMs;           ///< composed, see `fastKvState`
    std::optional<double> rerunMs;
    std::optional<double> loadMs;
    /// Tokens of this prompt whose keys and values were there from an earlier one. Above 0 the spans
    /// of the full pass cover the rest alone, so that the prefill totals are absent.
    std::int64_t reusedTokens = 0;
    State fastKvState = State::Composed;
    std::vector<double> standaloneFullMs;            ///< one entry a measured repetition
    std::vector<double> standaloneFastKvMs;
    /// Beside the standalone runs on a GPU. On a CPU neither rate is a floor: what lies in its
    /// caches runs faster than both.
    std::optional<DevicePeaks> peaks;
};

/// Everything a view can show. Immutable once published: a rerun makes a new Run that shares the
/// planes of the old one. A live run and an opened trace are the same type.
struct Run {
    std::uint64_t id = 0;
    ModelInfo model;
    Machine machine;
    std::shared_ptr<const Prompt> prompt;
    std::shared_ptr<const FullPass> full;         ///< null from Rung::Deployed on
    std::shared_ptr<const FastKvPass> fastkv;     ///< null while the first rerun is under way
    std::shared_ptr<const Answer> fullAnswer;     ///< null until decoded
    std::shared_ptr<const Answer> fastkvAnswer;   ///< for fastkv->settings; null while pending
    std::shared_ptr<const Fidelity> fidelity;     ///< null while pending
    Timing timing;
    Counters counters;
    Rung rung = Rung::Everything;
    bool recorded = false;  ///< opened from a file

    std::int64_t tokens() const { return prompt ? prompt->size() : 0; }
    /// Full context was run: where there is no answer of it yet, one will come.
    bool hasReference() const { return rung != Rung::FastKvAlone; }
    /// M = N - w, at least 0.
    std::int64_t scored() const {
        const std::int64_t w = full ? full->window : fastkv ? fastkv->settings.window : 0;
        return tokens() > w ? tokens() - w : 0;
    }
};

using RunPtr = std::shared_ptr<const Run>;

}  // namespace fkv::trace
