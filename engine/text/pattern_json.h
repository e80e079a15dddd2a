// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_record.h"
#include "engine/text/pattern.h"

namespace fkv::text {

/// Steps in one sequence, and what they may be nested in, of an untrusted file.
inline constexpr std::size_t kMostSteps = 64;

/// `{"String": "..."}` or `{"Regex": "..."}` under `key`. Throws BadFile or Unsupported.
Pattern readPattern(const io::JsonRecord& from, const char* key);

} // namespace fkv::text
