// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace fkv::text {

/// What tokenizer_config.json, beside the tokenizer's own file, says about control tokens.
struct SpecialTokens {
    std::optional<bool> addBos; ///< `add_bos_token`; unset: the tokenizer's own file decides
    std::string bos, eos;       ///< spellings; "" when it does not say
};

/// Empty when there is no such file. Throws BadFile in one line.
SpecialTokens readSpecialTokens(const std::filesystem::path& modelFolder);

} // namespace fkv::text
