// SPDX-License-Identifier: Apache-2.0
#include "engine/io/trace_records.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace fkv::io {

using Json = nlohmann::json;
using trace::Amount;

namespace {

constexpr std::array<std::string_view, 2> kMethods{"full", "fastkv"};
constexpr std::array<std::string_view, 2> kPoolings{"max", "avg"};

void putAmount(Json& json, const std::string& what, const Amount& amount) {
    if (amount.unit == Amount::Unit::Tokens)
        json[what + "_tokens"] = amount.tokens;
    else
        json[what + "_rate"] = amount.rate;
}

Amount amountFrom(const JsonRecord& json, const std::string& what) {
    const std::string tokens = what + "_tokens";
    if (json.has(tokens.c_str())) return Amount::ofTokens(json.integer(tokens.c_str(), {1}));
    const std::string rate = what + "_rate";
    const double value = json.number(rate.c_str());
    if (!(value > 0.0 && value <= 1.0)) json.bad(rate + " is not above 0 and at most 1");
    return Amount::ofRate(value);
}

trace::Sampling samplingFrom(const JsonRecord& json) {
    trace::Sampling s;
    s.temperature = json.number("temperature");
    if (!(s.temperature >= 0.0 && s.temperature <= trace::Sampling::kMostTemperature))
        json.bad("temperature is out of range");
    s.topK = json.small("top_k", {0, INT32_MAX});
    s.topP = json.number("top_p");
    if (!(s.topP > 0.0 && s.topP <= 1.0)) json.bad("top_p is not above 0 and at most 1");
    s.seed = static_cast<std::uint32_t>(json.integer("seed", {0, UINT32_MAX}));
    return s;
}

std::string hex(std::uint64_t value) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
    return text.data();
}

std::uint64_t hexFrom(const JsonRecord& json, const char* key) {
    const std::string text = json.text(key);
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value, 16);
    if (error != std::errc{} || at != end) json.bad(std::string(key) + " is not hexadecimal");
    return value;
}

} // namespace

Json toJson(const trace::Settings& s) {
    Json json{{"method", kMethods[static_cast<std::size_t>(s.method)]},
              {"tsp_layer", s.tspLayer},
              {"window", s.window},
              {"kernel", s.kernel},
              {"pooling", kPoolings[static_cast<std::size_t>(s.pooling)]},
              {"generate", s.generate},
              {"temperature", s.sampling.temperature},
              {"top_k", s.sampling.topK},
              {"top_p", s.sampling.topP},
              {"seed", s.sampling.seed}};
    putAmount(json, "tsp", s.tsp);
    putAmount(json, "kv", s.kv);
    return json;
}

trace::Settings settingsFrom(const JsonRecord& json, int layers) {
    trace::Settings s;
    s.method = static_cast<trace::Method>(json.oneOf("method", kMethods));
    s.tspLayer = json.small("tsp_layer", {0, layers - 1});
    s.tsp = amountFrom(json, "tsp");
    s.kv = amountFrom(json, "kv");
    s.window = json.small("window", {1, INT32_MAX});
    s.kernel = json.small("kernel", {1, INT32_MAX});
    if (s.kernel % 2 == 0) json.bad("kernel is even");
    s.pooling = poolingFrom(json);
    // Older traces were made by greedy decoding, and do not say for how many tokens.
    if (json.has("generate")) s.generate = json.small("generate", {0, trace::kMostGenerate});
    if (json.has("temperature")) s.sampling = samplingFrom(json);
    return s;
}

trace::Pooling poolingFrom(const JsonRecord& json) {
    return static_cast<trace::Pooling>(json.oneOf("pooling", kPoolings));
}

Json toJson(const trace::Budgets& b) {
    Json layers = Json::array();
    for (const trace::LayerBudget& layer : b.layers)
        layers.push_back({{"entering", layer.entering}, {"kept", layer.kept}});
    return {{"tokens", b.tokens},
            {"tsp_on", b.tspOn},
            {"tsp_tokens", b.propagated},
            {"tsp_rate", numberJson(b.tspRate)},
            {"kv_rate", numberJson(b.kvRate)},
            {"kv_bytes", b.kvBytes},
            {"full_kv_bytes", b.fullKvBytes},
            {"late_clamped", b.lateClamped},
            {"tsp_clamped", b.tspClamped},
            {"kv_clamped", b.kvClamped},
            {"layers", std::move(layers)}};
}

trace::Budgets budgetsFrom(const JsonRecord& json, const trace::Settings& settings,
                           std::int64_t tokens, int layers) {
    trace::Budgets b;
    b.tokens = json.integer("tokens", {tokens, tokens});
    b.window = settings.window;
    b.tspLayer = settings.tspLayer;
    b.tspOn = json.flag("tsp_on");
    const std::int64_t least = std::min<std::int64_t>(tokens, b.window);
    b.propagated =
        json.integer("tsp_tokens", b.tspOn ? Limits{least, tokens - 1} : Limits{tokens, tokens});
    b.tspRate = json.number("tsp_rate");
    b.kvRate = json.number("kv_rate");
    b.kvBytes = json.integer("kv_bytes", {});
    b.fullKvBytes = json.integer("full_kv_bytes", {});
    b.lateClamped = json.flag("late_clamped");
    b.tspClamped = json.flag("tsp_clamped");
    b.kvClamped = json.flag("kv_clamped");
    const auto list = json.list("layers", static_cast<std::size_t>(layers));
    if (list.size() != static_cast<std::size_t>(layers))
        json.bad("layers lists " + std::to_string(list.size()) + " of " + std::to_string(layers));
    for (const JsonRecord& entry : list) {
        const bool late = b.tspOn && static_cast<int>(b.layers.size()) > b.tspLayer;
        const std::int64_t entering = late ? b.propagated : tokens;
        b.layers.push_back(
            {entry.integer("entering", {entering, entering}),
             entry.integer("kept", {std::min<std::int64_t>(entering, b.window), entering})});
    }
    return b;
}

Json toJson(const trace::ModelInfo& m) {
    return {{"name", m.name},
            {"path", m.path},
            {"layers", m.layers},
            {"query_heads", m.queryHeads},
            {"kv_heads", m.kvHeads},
            {"head_dim", m.headDim},
            {"hidden", m.hidden},
            {"intermediate", m.intermediate},
            {"vocabulary", m.vocabulary},
            {"context_length", m.contextLength},
            {"weight_bytes", m.weightBytes},
            {"step_weight_bytes", m.stepWeightBytes},
            {"kv_element_bytes", m.kvElementBytes},
            {"fingerprint", hex(m.fingerprint)}};
}

trace::ModelInfo modelFrom(const JsonRecord& json) {
    trace::ModelInfo m;
    m.name = json.text("name");
    m.path = json.text("path");
    // The same limits as for a model's config: no product of extents can overflow.
    m.layers = json.small("layers", {1, 1024});
    m.queryHeads = json.small("query_heads", {1, 4096});
    m.kvHeads = json.small("kv_heads", {1, 4096});
    if (m.queryHeads % m.kvHeads != 0) json.bad("query_heads is no multiple of kv_heads");
    m.headDim = json.small("head_dim", {1, 1024});
    m.hidden = json.small("hidden", {0, 1 << 20});
    if (json.has("intermediate")) m.intermediate = json.small("intermediate", {0, 1 << 20});
    m.vocabulary = json.small("vocabulary", {1, 1 << 24});
    m.contextLength = json.integer("context_length", {});
    m.weightBytes = json.integer("weight_bytes", {});
    if (json.has("step_weight_bytes"))
        m.stepWeightBytes = json.integer("step_weight_bytes", {0, m.weightBytes});
    m.kvElementBytes = json.integer("kv_element_bytes", {1, 8});
    m.fingerprint = hexFrom(json, "fingerprint");
    return m;
}

Json toJson(const trace::Machine& m) {
    return {{"device", m.device},
            {"cpu", m.cpu},
            {"threads", m.threads},
            {"blas", m.blas},
            {"date_utc", m.dateUtc}};
}

trace::Machine machineFrom(const JsonRecord& json) {
    trace::Machine m;
    m.device = json.text("device");
    m.cpu = json.text("cpu");
    m.threads = json.small("threads", {0, 1 << 20});
    m.blas = json.text("blas");
    m.dateUtc = json.text("date_utc");
    return m;
}

} // namespace fkv::io
