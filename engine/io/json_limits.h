// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace fkv::io {

struct JsonLimits {
    std::size_t maxBytes = 100U << 20;
    int maxDepth = 64;
    bool refuseDuplicateKeys = true;
};

/// Parses untrusted JSON. `where` names the source in messages. Throws Error{BadFile} in one line.
nlohmann::json parseJson(std::string_view text, std::string_view where, const JsonLimits& = {});
/// The same for a whole file. Throws NotFound or Io as well.
nlohmann::json readJson(const std::filesystem::path& path, const JsonLimits& = {});
/// A whole text file of at most `maxBytes`.
std::string readText(const std::filesystem::path& path, std::size_t maxBytes = 64U << 20);
/// True for valid UTF-8 (no surrogates, no overlong forms).
bool isUtf8(std::string_view text);

}  // namespace fkv::io
