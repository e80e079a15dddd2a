// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/settings.h"

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

namespace fkv::cli {

/// Options of `fastkv profile`; a budget that is absent takes the default.
struct ProfileOptions {
    std::filesystem::path model;
    std::string prompt;
    std::filesystem::path promptFile;
    std::filesystem::path idsFile;
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
    std::string stop;
    std::filesystem::path out;
    bool json = false;
};

/// Runs the full-context reference and the chosen method and prints the result to `to`.
/// Throws Error.
void profile(const ProfileOptions& options, std::ostream& to);

}  // namespace fkv::cli
