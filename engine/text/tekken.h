// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/special_tokens.h"
#include "engine/text/tokenizer.h"

#include <string_view>

namespace fkv::text {

/// A tokenizer from the JSON of Mistral's `tekken.json`: tokens as bytes in order of rank, ids
/// behind those of the control tokens. Control tokens that a text spells out ("[INST]") are read as
/// control tokens, as by the tokenizer.json of the same models: a rendered chat template is text.
/// Throws BadFile in one line; `where` names the file.
std::unique_ptr<Tokenizer> parseTekken(std::string_view json, const std::string& where,
                                       const SpecialTokens& special);
std::unique_ptr<Tokenizer> openTekken(const std::filesystem::path& file,
                                      const SpecialTokens& special);

} // namespace fkv::text
