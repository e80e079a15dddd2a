// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace fkv::fuzz {

/// A number below a limit, or 0 for the limit 0.
using Below = std::function<std::size_t(std::size_t)>;

/// Changes one or a few values of a JSON text, so that what comes out is JSON still: most readers
/// look no further than the first broken bracket. False, and nothing done, when it is none.
bool changeJson(std::string& text, const Below& below);

} // namespace fkv::fuzz
