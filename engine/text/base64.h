// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fkv::text {

/// The bytes of a base64 text (RFC 4648, padded), or nothing when it is none.
std::optional<std::string> decodeBase64(std::string_view text);

} // namespace fkv::text
