// SPDX-License-Identifier: Apache-2.0
#include "engine/text/tokenizer.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/sentencepiece_tokenizer.h"

#include <system_error>

namespace fkv::text {

namespace {

bool readAddsBos(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "tokenizer_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return true;
    const nlohmann::json config = io::readJson(path);
    if (!config.is_object()) throw Error(ErrorCode::BadFile, path.string() + ": not a JSON object");
    const auto it = config.find("add_bos_token");
    if (it == config.end() || it->is_null()) return true;
    if (!it->is_boolean())
        throw Error(ErrorCode::BadFile, path.string() + ": add_bos_token is not true or false");
    return it->get<bool>();
}

}  // namespace

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
    const std::filesystem::path model = modelFolder / "tokenizer.model";
    if (!std::filesystem::exists(model, ignored))
        throw Error(ErrorCode::NotFound, "no tokenizer.model in " + modelFolder.string(),
                    "only sentencepiece models can be read");
    return openSentencePiece(model, readAddsBos(modelFolder));
}

}  // namespace fkv::text
