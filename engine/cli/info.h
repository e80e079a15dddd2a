// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>

namespace fkv::cli {

struct InfoOptions {
    std::filesystem::path path; ///< a model folder or a trace file
    std::string device = "auto";
    bool json = false;
    std::int64_t tokens = 0; ///< of a prompt to say what it needs; 0: of none
    int generate = 32;       ///< tokens after it
    std::int64_t memoryBytes = 0; ///< that may be used of a device; 0: all it has
};

/// Says what a model folder or a trace holds, without running anything: of a model its config,
/// tensors, tokenizer, what a token costs in the KV cache, and with `tokens` what a prompt of that
/// length needs on the CPU and on a GPU, under the default settings. Throws Error for what could not be
/// run.
void info(const InfoOptions& options, std::ostream& to);

} // namespace fkv::cli
