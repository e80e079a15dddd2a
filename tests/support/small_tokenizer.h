// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_limits.h"
#include "engine/text/tokenizer_json.h"

#include <filesystem>
#include <string>

namespace fkv::testing {

/// A file of tests/data/tokenizers: "byte_level", "space_sign", "tekken", "cases".
inline nlohmann::json smallTokenizer(const std::string& name) {
    return io::readJson(std::filesystem::path(FKV_TEST_DATA) / "tokenizers" / (name + ".json"));
}

inline std::unique_ptr<text::Tokenizer> openJson(const nlohmann::json& json,
                                                 const text::SpecialTokens& special = {}) {
    return text::parseTokenizerJson(json.dump(), "tokenizer.json", special);
}

} // namespace fkv::testing
