// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cli/terminal.h"

#include <cstdint>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

namespace fkv::cli {

/// Options of `fastkv bench`.
struct BenchOptions {
    std::string shape = "llama-3.1-8b";
    std::vector<std::int64_t> tokens{8192, 32768, 131072};
    std::string device = "auto";
    std::uint64_t seed = 1;
    int repeats = 3;
    int decode = 32; ///< tokens timed
    bool json = false;
};

/// Times the deployed path of a shape with random weights: prefill and decoding, full and FastKV at
/// its defaults, in turns, medians, each beside the machine's measured ceilings. Throws Error.
void bench(const BenchOptions& options, Terminal& terminal, const std::stop_token& stop,
           std::ostream& to);

} // namespace fkv::cli
