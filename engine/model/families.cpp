// SPDX-License-Identifier: Apache-2.0
#include "engine/model/families.h"

#include "engine/core/error.h"
#include "engine/model/json_fields.h"

#include <algorithm>
#include <array>

namespace fkv::model {

namespace {

using nlohmann::json;

constexpr std::array kFamilies{"llama", "mistral", "ministral", "qwen2", "qwen3"};
constexpr std::int64_t kAbsentWindow = 4096; ///< what transformers takes for a missing key
constexpr std::int64_t kMostWindow = 1LL << 26;

bool isKnown(const std::string& modelType) {
    return std::find(kFamilies.begin(), kFamilies.end(), modelType) != kFamilies.end();
}

[[noreturn]] void unsupported(const JsonFields& config, const std::string& what) {
    throw Error(ErrorCode::Unsupported, config.where() + ": " + what + " is not supported yet",
                "Dense text models of the families Llama, Mistral, Ministral, Qwen2 and Qwen3 in "
                "f32, f16 or bf16 run today.");
}

std::string quantisation(const JsonFields& config) {
    const json& q = *config.find("quantization_config");
    const auto method = q.is_object() ? q.find("quant_method") : q.end();
    const bool named = q.is_object() && method != q.end() && method->is_string();
    return "quantised weights (quantization_config" +
           (named ? ", " + method->get<std::string>() : std::string()) + ")";
}

/// What the config holds that no model above has; empty for nothing.
std::string otherKindOfModel(const JsonFields& config, const std::string& type) {
    if (config.has("quantization_config")) return quantisation(config);
    if (config.has("kv_lora_rank")) return "latent attention (kv_lora_rank)";
    for (const char* key : {"vision_config", "vision_tower", "audio_config", "text_config"})
        if (config.has(key)) return std::string("a model of several modalities (") + key + ")";
    for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts"})
        if (config.has(key)) return std::string("a mixture of experts (") + key + ")";
    if (type.find("moe") != std::string::npos || type == "mixtral") return "a mixture of experts";
    return {};
}

void refuseArchitecture(const JsonFields& config) {
    const json* list = config.find("architectures");
    if (list == nullptr || !list->is_array()) return;
    for (const json& name : *list) {
        if (!name.is_string()) config.refuse("architectures is not a list of names");
        if (!name.get<std::string>().ends_with("ForCausalLM"))
            unsupported(config, "architecture \"" + name.get<std::string>() + "\"");
    }
}

std::int64_t slidingWindow(const JsonFields& config, const std::string& type) {
    if (type == "llama") return 0;
    if (type.starts_with("qwen") && !config.flagOr("use_sliding_window", false)) return 0;
    if (config.contains("sliding_window") && !config.has("sliding_window")) return 0; // null
    return config.integerOr("sliding_window", kAbsentWindow, kMostWindow);
}

/// Layers that `layer_types` calls sliding.
std::vector<bool> slidingOf(const JsonFields& config, std::int32_t layers) {
    const json& types = *config.find("layer_types");
    if (!types.is_array() || types.size() != static_cast<std::size_t>(layers))
        config.refuse("layer_types is not a list of " + std::to_string(layers) + " names");
    std::vector<bool> sliding;
    for (const json& type : types) {
        const std::string name = type.is_string() ? type.get<std::string>() : type.dump();
        if (name != "full_attention" && name != "sliding_attention")
            unsupported(config, "layer type \"" + name + "\"");
        sliding.push_back(name == "sliding_attention");
    }
    return sliding;
}

std::vector<std::int64_t> readWindows(const JsonFields& config, const std::string& type,
                                      std::int32_t layers) {
    if (type == "llama") return {};
    const std::int64_t window = slidingWindow(config, type);
    std::vector<bool> sliding(static_cast<std::size_t>(layers), window > 0);
    // A Mistral with layer_types is a Ministral to transformers.
    if (config.has("layer_types")) {
        sliding = slidingOf(config, layers);
    } else if (type.starts_with("qwen")) {
        const std::int64_t whole = config.unsignedOr("max_window_layers", 28, INT32_MAX);
        for (std::int64_t l = 0; l < std::min<std::int64_t>(whole, layers); ++l)
            sliding[static_cast<std::size_t>(l)] = false;
    }
    if (std::find(sliding.begin(), sliding.end(), true) == sliding.end()) return {};
    if (window == 0)
        config.refuse("layer_types has sliding layers, but there is no sliding_window");
    std::vector<std::int64_t> windows;
    for (const bool slides : sliding)
        windows.push_back(slides ? window : 0);
    return windows;
}

} // namespace

void refuseOtherFamilies(const JsonFields& config) {
    const std::string type = config.textOr("model_type", "");
    if (type.empty()) config.refuse("model_type is missing");
    const std::string named = "model_type \"" + type + "\"";
    if (const std::string other = otherKindOfModel(config, type); !other.empty())
        unsupported(config, other + (isKnown(type) ? "" : " of " + named));
    if (!isKnown(type)) unsupported(config, named);
    refuseArchitecture(config);
    for (const char* key : {"attention_bias", "mlp_bias"})
        if (config.flagOr(key, false)) unsupported(config, key);
    const std::string activation = config.textOr("hidden_act", "silu");
    if (activation != "silu" && activation != "swish")
        unsupported(config, "hidden_act \"" + activation + "\"");
}

Family readFamily(const JsonFields& config, std::int32_t layers) {
    Family family;
    family.modelType = config.textOr("model_type", "");
    family.qkvBias = family.modelType == "qwen2";
    family.qkNorm = family.modelType == "qwen3";
    family.slidingWindows = readWindows(config, family.modelType, layers);
    return family;
}

} // namespace fkv::model
