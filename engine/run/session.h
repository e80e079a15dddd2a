// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/gate.h"
#include "engine/ops/backend.h"
#include "engine/run/observer.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "engine/trace/run.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace fkv::run {

/// Turns a prompt's text into a user's message, which the model's chat template then makes the
/// prompt of.
struct ChatSpec {
    std::string system; ///< may be empty: no system message
    std::string date;   ///< the day for templates that ask, "2026-01-31"; empty: today
    bool operator==(const ChatSpec&) const = default;
};

/// What to analyse. Either `text`, or `ids` used as they are (text is then decoded from them).
struct PromptSpec {
    std::string text;
    std::optional<std::vector<std::int32_t>> ids;
    std::string expected; ///< expected answer, may be empty
    /// With `ids`, which are the prompt then, it is only recorded.
    std::optional<ChatSpec> chat;
};

struct Request {
    PromptSpec prompt;
    trace::Settings settings;
    std::int64_t checkpointBudgetBytes = 4LL << 30;
    bool fidelity = true;
    bool tables = true; ///< stabilization curves
    /// On a GPU: records the kernels of whatever this request runs. Costs some time, and says in the
    /// result why it could not be done.
    bool kernels = false;
};

/// What an analysis would need, before it is run.
struct MemoryEstimate {
    std::int64_t weightBytes = 0, kvBytes = 0, checkpointBytes = 0, planeBytes = 0,
                 scratchBytes = 0;
    std::int64_t total() const {
        return weightBytes + kvBytes + checkpointBytes + planeBytes + scratchBytes;
    }
};

/// A loaded model with everything that makes changes cheap: full KV, checkpoints, planes. Lives on
/// one thread; only gate() and const getters may be used from others. Throws Error; after any throw
/// the session is usable and earlier Runs are untouched.
class Session {
public:
    static std::unique_ptr<Session> open(const std::filesystem::path& modelFolder,
                                         const ops::DeviceSpec& device, Observer& observer,
                                         const std::stop_token& stop);
    ~Session();

    const trace::ModelInfo& model() const;
    const text::Tokenizer& tokenizer() const;
    /// The same, to be kept beyond the session's life and used from any thread.
    std::shared_ptr<const text::Tokenizer> sharedTokenizer() const;
    /// The model's chat template, or why there is none to use.
    const text::ChatSupport& chatSupport() const;
    const ops::DeviceInfo& device() const;
    Gate& gate();

    /// Tokens of a prompt, checked: not empty, within the context length, ids in the vocabulary.
    trace::Prompt tokenize(const PromptSpec& spec) const;
    MemoryEstimate estimate(std::int64_t tokens, const Request& request) const;

    /// The one entry for everything a control can change. Compares the request with what is held
    /// and does the least: only decoding for the sampling and length of answers; regathering and
    /// decoding for a KV budget; layers after t for TSP; rescoring for window, kernel and pooling;
    /// rows from the first changed token for an edited prompt; else a new full pass. Publishes
    /// partial Runs and returns the finished one.
    trace::RunPtr analyse(const Request& request, Observer& observer, const std::stop_token& stop);

    /// Standalone prefill (the deployed path) `repeats` times, full and FastKV in turn, after one
    /// warm-up. Returns the last analysed run with `timing.standalone*Ms` and a standalone
    /// FastKvPass.
    trace::RunPtr measure(const Request& request, int repeats, Observer& observer,
                          const std::stop_token& stop);

    /// What the last analyse() really did, for tests and the status bar.
    struct Work {
        std::int64_t fullRows = 0;  ///< rows x layers of the full pass
        std::int64_t rerunRows = 0; ///< rows x layers of the rerun
        bool rescored = false;
        bool regathered = false;  ///< false too where a smaller budget is a prefix of what is held
        std::int64_t decoded = 0; ///< tokens of both answers
    };
    const Work& lastWork() const;

private:
    Session();
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace fkv::run
