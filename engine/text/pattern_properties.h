// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace fkv::text {

/// The name of a Unicode property, as it stands in `\p{...}`, as PCRE2 knows it: general categories
/// by their short names, and scripts as scripts, where PCRE2 would take script extensions.
std::string propertyName(std::string_view name);

} // namespace fkv::text
