// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace fkv {

struct HostMemory {
    std::int64_t totalBytes = 0;     ///< of the machine, or what this process' group may use of it
    std::int64_t availableBytes = 0; ///< of these, what can be had without swapping
};

/// Asks the kernel, in well under a millisecond. The limits of the process' control groups count
/// (version 2, and the process' own group of version 1); the cache of files does not: it gives way.
/// `root` is "/" but in tests.
HostMemory hostMemory(const std::filesystem::path& root = "/");

} // namespace fkv
