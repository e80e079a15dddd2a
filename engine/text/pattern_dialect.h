// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/pattern.h"

namespace fkv::text {

/// The expression as PCRE2 (UTF, UCP) has to be told it, so that it matches what the library of the
/// dialect matches: `\s` is White_Space, `\w` is wider than PCRE2's, `\h` and `\v` differ, sets
/// may hold sets and `&&`, scripts are not script extensions, `{n,m}+` is a repeat of a repeat in
/// Oniguruma. Throws BadFile where the expression is cut short.
std::string translatePattern(std::string_view expression, Dialect dialect,
                             const std::string& where);

} // namespace fkv::text
