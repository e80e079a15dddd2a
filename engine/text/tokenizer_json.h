// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/special_tokens.h"
#include "engine/text/tokenizer.h"

#include <string_view>

namespace fkv::text {

/// A tokenizer from the JSON of a `tokenizer.json` with a BPE model: byte-level (GPT-2, Llama 3,
/// Qwen, Mistral-NeMo) or in the manner of sentencepiece (Llama 2, TinyLlama, Mistral), as the
/// `tokenizers` library reads it. `where` names the file. Throws, in one line, BadFile for what is
/// damaged and Unsupported with the name of what this program does not know.
std::unique_ptr<Tokenizer> parseTokenizerJson(std::string_view json, const std::string& where,
                                              const SpecialTokens& special);
std::unique_ptr<Tokenizer> openTokenizerJson(const std::filesystem::path& file,
                                             const SpecialTokens& special);

} // namespace fkv::text
