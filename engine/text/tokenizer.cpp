// SPDX-License-Identifier: Apache-2.0
#include "engine/text/tokenizer.h"

#include "engine/core/error.h"
#include "engine/text/sentencepiece_tokenizer.h"
#include "engine/text/special_tokens.h"
#include "engine/text/tekken.h"
#include "engine/text/tokenizer_json.h"

#include <system_error>

namespace fkv::text {

std::string Tokenizer::decode(const std::vector<std::int32_t>& ids) const {
    std::string text;
    std::int32_t previous = -1;
    for (const std::int32_t id : ids) {
        text += decode(id, previous);
        previous = id;
    }
    return text;
}

std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& modelFolder) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(modelFolder, ignored))
        throw Error(ErrorCode::NotFound, "no model folder " + modelFolder.string());
    const SpecialTokens special = readSpecialTokens(modelFolder);
    const auto has = [&](const char* name) {
        return std::filesystem::exists(modelFolder / name, ignored);
    };
    if (has("tokenizer.json")) return openTokenizerJson(modelFolder / "tokenizer.json", special);
    if (has("tekken.json")) return openTekken(modelFolder / "tekken.json", special);
    if (has("tokenizer.model"))
        return openSentencePiece(modelFolder / "tokenizer.model", special.addBos.value_or(true));
    throw Error(ErrorCode::NotFound, "no tokenizer in " + modelFolder.string(),
                "A model folder holds tokenizer.json, tekken.json or tokenizer.model.");
}

}  // namespace fkv::text
