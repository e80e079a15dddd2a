// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/arguments.h"

#include <optional>
#include <string_view>

namespace fkv::text::jinja {

/// A method of str. Throws Error{Unsupported} for one that is not covered.
Value callTextMethod(Runtime& runtime, const Method& method, const CallArguments& arguments);

/// str.replace(); `count` below 0 replaces all.
Value replaced(Runtime& runtime, std::string_view text, std::string_view from, std::string_view to,
               std::int64_t count);
/// str.splitlines().
std::vector<std::string_view> splitLines(std::string_view text, bool keepEnds);

} // namespace fkv::text::jinja
