// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

namespace fkv::cli {

struct InfoOptions {
    std::filesystem::path path; ///< a model folder or a trace file
    std::string device = "auto";
    bool json = false;
};

/// Says what a model folder or a trace holds, without running anything: of a model its config,
/// tensors, tokenizer, and what a token costs in the KV cache. Throws Error for what could not be
/// run.
void info(const InfoOptions& options, std::ostream& to);

} // namespace fkv::cli
