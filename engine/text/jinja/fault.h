// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"

#include <string>

namespace fkv::text::jinja {

/// What is wrong with a template, and where. Throws Error{BadFile} in one line.
[[noreturn]] inline void fault(int line, const std::string& what,
                               ErrorCode code = ErrorCode::BadFile) {
    // Names and texts of a template are untrusted and may be long.
    static constexpr std::size_t kMost = 400;
    std::string cut = what.substr(0, kMost);
    while (cut.size() < what.size() && !cut.empty() &&
           (static_cast<unsigned char>(what[cut.size()]) & 0xC0U) == 0x80U)
        cut.pop_back();
    throw Error(code, "chat template, line " + std::to_string(line) + ": " + cut);
}

} // namespace fkv::text::jinja
