// SPDX-License-Identifier: Apache-2.0
#include "engine/model/config.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/model/families.h"
#include "engine/model/json_fields.h"

#include <algorithm>
#include <cmath>

namespace fkv::model {

namespace {

constexpr std::int64_t kMostContext = 1LL << 26;

void readDimensions(const JsonFields& config, Config& c) {
    constexpr std::int64_t kMostWidth = 1 << 20;
    const auto number = [&](const char* key, std::int64_t most) {
        return static_cast<std::int32_t>(config.integer(key, most));
    };
    c.layers = number("num_hidden_layers", 1024);
    c.hidden = number("hidden_size", kMostWidth);
    c.intermediate = number("intermediate_size", kMostWidth);
    c.queryHeads = number("num_attention_heads", 4096);
    c.kvHeads =
        static_cast<std::int32_t>(config.integerOr("num_key_value_heads", c.queryHeads, 4096));
    // A Qwen3 without the key is one of 128, as transformers takes it; all others share
    // hidden_size.
    const bool qwen3 = config.textOr("model_type", "") == "qwen3";
    c.headDim = static_cast<std::int32_t>(
        config.integerOr("head_dim", qwen3 ? 128 : c.hidden / c.queryHeads, 1024));
    if (c.headDim < 1) config.refuse("hidden_size is smaller than num_attention_heads");
    c.vocabulary = number("vocab_size", 1 << 24);
    c.contextLength = config.integer("max_position_embeddings", kMostContext);
    c.rmsEps = static_cast<float>(config.positiveOr("rms_norm_eps", 1e-6));
}

/// YaRN states what it stretches to; files often leave max_position_embeddings at the original.
void stretchContext(Config& c) {
    if (c.rope.kind != RopeKind::Yarn) return;
    const double stretched =
        std::floor(c.rope.factor * static_cast<double>(c.rope.originalContext));
    c.contextLength =
        std::max(c.contextLength,
                 static_cast<std::int64_t>(std::min(stretched, static_cast<double>(kMostContext))));
}

void checkAgreement(const JsonFields& config, const Config& c) {
    if (c.queryHeads % c.kvHeads != 0)
        config.refuse("num_attention_heads (" + std::to_string(c.queryHeads) +
                      ") is no multiple of num_key_value_heads (" + std::to_string(c.kvHeads) +
                      ")");
    if (c.headDim % 2 != 0) config.refuse("head_dim is odd, rotary positions need pairs");
    for (const std::int32_t id : c.eos)
        if (id < 0 || id >= c.vocabulary) config.refuse("eos_token_id is outside the vocabulary");
}

}  // namespace

Config readConfig(const std::filesystem::path& folder) {
    const nlohmann::json json = io::readJson(folder / "config.json");
    const JsonFields config(json, "config.json");
    refuseOtherFamilies(config);
    Config c;
    readDimensions(config, c);
    c.rope = readRope(config, c.contextLength);
    stretchContext(c);
    Family family = readFamily(config, c.layers);
    c.modelType = std::move(family.modelType);
    c.qkvBias = family.qkvBias;
    c.qkNorm = family.qkNorm;
    c.slidingWindows = std::move(family.slidingWindows);
    c.tiedEmbeddings = config.flagOr("tie_word_embeddings", false);
    const auto path = folder / "generation_config.json";
    if (std::filesystem::exists(path)) {
        const nlohmann::json generation = io::readJson(path);
        c.eos = JsonFields(generation, "generation_config.json").tokenIds("eos_token_id");
    }
    if (c.eos.empty()) c.eos = config.tokenIds("eos_token_id");
    if (const auto bos = config.tokenIds("bos_token_id"); !bos.empty()) c.bos = bos.front();
    checkAgreement(config, c);
    return c;
}

}  // namespace fkv::model
