// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cli/terminal.h"
#include "engine/trace/settings.h"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>

namespace fkv::cli {

/// Options of `fastkv profile`; a budget that is absent takes the default.
struct ProfileOptions {
    std::filesystem::path model;
    std::string prompt;
    std::filesystem::path promptFile;
    std::filesystem::path idsFile;
    bool chat = false;  ///< the prompt is a user's message
    std::string system; ///< with a system message before it
    std::string date;   ///< for chat templates that ask for the day; empty: today
    std::string method = "fastkv";
    std::optional<int> tspLayer;
    std::optional<double> tspRate;
    std::optional<std::int64_t> tspTokens;
    std::optional<double> kvRate;
    std::optional<std::int64_t> kvTokens;
    int window = 8;
    int kernel = 7;
    std::string pooling = "max";
    int generate = 32;
    trace::Sampling sampling;
    std::string stop;
    int measure = 0; ///< repetitions on the deployed path
    std::int64_t memoryBytes = 0; ///< that may be used of the device; 0: all it has
    bool kernels = false;
    std::filesystem::path out;
    std::string device = "auto";
    bool json = false;
};

/// Runs the full-context reference and the chosen method, saves the trace when asked to, and prints
/// the result to `to`. Throws Error; Cancelled leaves no file behind.
void profile(const ProfileOptions& options, Terminal& terminal, const std::stop_token& stop,
             std::ostream& to);

} // namespace fkv::cli
