// SPDX-License-Identifier: Apache-2.0
#include "engine/model/config.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"

#include <cmath>

namespace fkv::model {

namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& message) {
    throw Error(ErrorCode::BadFile, "config.json: " + message);
}

std::int64_t integer(const json& config, const char* key, std::int64_t most) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) refuse(std::string(key) + " is missing");
    if (!found->is_number_integer()) refuse(std::string(key) + " is not a whole number");
    const auto value = found->get<std::int64_t>();
    if (value < 1 || value > most)
        refuse(std::string(key) + " is " + std::to_string(value) + ", valid: 1 to " +
               std::to_string(most));
    return value;
}

std::int64_t integerOr(const json& config, const char* key, std::int64_t fallback,
                       std::int64_t most) {
    const auto found = config.find(key);
    return found == config.end() || found->is_null() ? fallback : integer(config, key, most);
}

double positiveOr(const json& config, const char* key, double fallback) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) return fallback;
    if (!found->is_number()) refuse(std::string(key) + " is not a number");
    const double value = found->get<double>();
    if (!(value > 0.0) || !std::isfinite(value)) refuse(std::string(key) + " must be positive");
    return value;
}

/// One id, a list of ids, or nothing.
std::vector<std::int32_t> tokenIds(const json& config, const char* key) {
    std::vector<std::int32_t> ids;
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) return ids;
    const json list = found->is_array() ? *found : json::array({*found});
    for (const json& id : list) {
        // In 64 bits first: what does not fit an id must not become another one.
        const bool whole = id.is_number_integer();
        const auto value = whole ? id.get<std::int64_t>() : -1;
        if (value < 0 || value > INT32_MAX) refuse(std::string(key) + " is not a token id");
        ids.push_back(static_cast<std::int32_t>(value));
    }
    return ids;
}

void refuseUnsupported(const json& config, const Config& c) {
    const auto unsupported = [](const std::string& what) {
        throw Error(ErrorCode::Unsupported, "config.json: " + what + " is not supported yet",
                    "Models of the Llama family in f32, f16 or bf16 run today.");
    };
    if (c.modelType != "llama") unsupported("model_type \"" + c.modelType + "\"");
    for (const char* key : {"quantization_config", "rope_scaling", "rope_parameters"})
        if (config.contains(key) && !config[key].is_null()) unsupported(key);
    for (const char* key : {"attention_bias", "mlp_bias"})
        if (config.value(key, json(false)) == json(true)) unsupported(key);
    if (config.value("hidden_act", json("silu")) != json("silu")) unsupported("hidden_act");
}

void checkAgreement(const Config& c) {
    if (c.queryHeads % c.kvHeads != 0)
        refuse("num_attention_heads (" + std::to_string(c.queryHeads) +
               ") is no multiple of num_key_value_heads (" + std::to_string(c.kvHeads) + ")");
    if (c.headDim % 2 != 0) refuse("head_dim is odd, rotary positions need pairs");
    for (const std::int32_t id : c.eos)
        if (id < 0 || id >= c.vocabulary) refuse("eos_token_id is outside the vocabulary");
}

}  // namespace

Config readConfig(const std::filesystem::path& folder) {
    const json config = io::readJson(folder / "config.json");
    if (!config.is_object()) refuse("not an object");
    Config c;
    const auto type = config.find("model_type");
    if (type == config.end() || !type->is_string()) refuse("model_type is missing");
    c.modelType = type->get<std::string>();
    refuseUnsupported(config, c);
    constexpr std::int64_t kMostWidth = 1 << 20;
    c.layers = static_cast<std::int32_t>(integer(config, "num_hidden_layers", 1024));
    c.hidden = static_cast<std::int32_t>(integer(config, "hidden_size", kMostWidth));
    c.intermediate = static_cast<std::int32_t>(integer(config, "intermediate_size", kMostWidth));
    c.queryHeads = static_cast<std::int32_t>(integer(config, "num_attention_heads", 4096));
    c.kvHeads =
        static_cast<std::int32_t>(integerOr(config, "num_key_value_heads", c.queryHeads, 4096));
    c.headDim = static_cast<std::int32_t>(
        integerOr(config, "head_dim", c.hidden / c.queryHeads, 1024));
    if (c.headDim < 1) refuse("hidden_size is smaller than num_attention_heads");
    c.vocabulary = static_cast<std::int32_t>(integer(config, "vocab_size", 1 << 24));
    c.contextLength = integer(config, "max_position_embeddings", 1LL << 26);
    c.rmsEps = static_cast<float>(positiveOr(config, "rms_norm_eps", 1e-6));
    c.ropeTheta = positiveOr(config, "rope_theta", 10000.0);
    c.tiedEmbeddings = config.value("tie_word_embeddings", json(false)) == json(true);
    const auto generation = folder / "generation_config.json";
    if (std::filesystem::exists(generation)) c.eos = tokenIds(io::readJson(generation), "eos_token_id");
    if (c.eos.empty()) c.eos = tokenIds(config, "eos_token_id");
    if (const auto bos = tokenIds(config, "bos_token_id"); !bos.empty()) c.bos = bos.front();
    checkAgreement(c);
    return c;
}

}  // namespace fkv::model
