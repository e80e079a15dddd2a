// SPDX-License-Identifier: Apache-2.0
#include "engine/text/special_tokens.h"

#include "engine/io/json_limits.h"
#include "engine/io/json_record.h"

#include <system_error>

namespace fkv::text {

namespace {

/// A token is written as its spelling, or as an object that has it.
std::string spelling(const io::JsonRecord& config, const char* key) {
    if (!config.has(key)) return {};
    if (config.value(key).is_object()) return config.object(key).text("content");
    return config.text(key);
}

} // namespace

SpecialTokens readSpecialTokens(const std::filesystem::path& modelFolder) {
    const std::filesystem::path path = modelFolder / "tokenizer_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return {};
    const nlohmann::json json = io::readJson(path);
    const io::JsonRecord config(json, path.string());
    SpecialTokens out;
    if (config.has("add_bos_token")) out.addBos = config.flag("add_bos_token");
    out.bos = spelling(config, "bos_token");
    out.eos = spelling(config, "eos_token");
    return out;
}

} // namespace fkv::text
