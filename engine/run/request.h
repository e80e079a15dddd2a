// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/settings.h"

#include <cstdint>
#include <optional>
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
    struct Memory {
        /// Of the device's, weights included: what does not fit is given up (trace::Rung). 0: what
        /// the device has.
        std::int64_t limitBytes = 0;
        /// Absent: a quarter of that, and 4 GiB at least; never more than there is room for.
        std::optional<std::int64_t> checkpointBytes;
        bool operator==(const Memory&) const = default;
    } memory;
    bool fidelity = true;
    bool tables = true; ///< stabilization curves
    /// On a GPU: records the kernels of whatever this request runs. Costs some time, and says in
    /// the result why it could not be done.
    bool kernels = false;
};

} // namespace fkv::run
