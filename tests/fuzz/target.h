// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

/// What a fuzz target defines, after libFuzzer: reads the bytes and returns 0. Whatever it throws,
/// or a check() that fails, is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fkv::fuzz {

inline void check(bool holds, const char* what) {
    if (holds) return;
    std::cerr << "does not hold: " << what << std::endl;
    std::abort();
}

inline std::string_view asText(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Runs what reads untrusted bytes. It may refuse them, in one line that does not blame ourselves.
/// Anything else it throws goes on to the fuzzer. Returns whether it went through.
template <typename Read>
bool readsOrRefuses(Read&& read) {
    try {
        read();
        return true;
    } catch (const Error& e) {
        const std::string_view line = e.what();
        check(!line.empty() && line.find('\n') == std::string_view::npos, "an error is one line");
        check(e.code() != ErrorCode::Internal, "a bad file is no fault of ours");
        return false;
    }
}

} // namespace fkv::fuzz
