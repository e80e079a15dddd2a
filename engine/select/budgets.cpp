// SPDX-License-Identifier: Apache-2.0
#include "engine/select/budgets.h"

#include "engine/core/error.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace fkv::select {

using trace::Amount;

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& range) {
    throw Error(ErrorCode::BadArgument, what + " is out of range, valid: " + range);
}

void validateAmount(const Amount& amount, const std::string& what) {
    if (amount.unit == Amount::Unit::Tokens) {
        if (amount.tokens < 1)
            refuse(what + " " + std::to_string(amount.tokens) + " tokens", "1 token or more");
        return;
    }
    // Written so that NaN fails too.
    if (!(amount.rate > 0.0 && amount.rate <= 1.0))
        refuse(what + " rate " + std::to_string(amount.rate), "above 0, at most 1");
}

void validateSampling(const trace::Sampling& s) {
    if (!(s.temperature >= 0.0 && s.temperature <= trace::Sampling::kMostTemperature))
        refuse("temperature " + trace::shortNumber(s.temperature),
               "0 (greedy) to " + trace::shortNumber(trace::Sampling::kMostTemperature));
    if (s.topK < 0) refuse("top-k " + std::to_string(s.topK), "1 or more, 0 for off");
    if (!(s.topP > 0.0 && s.topP <= 1.0))
        refuse("top-p " + trace::shortNumber(s.topP), "above 0, at most 1 (off)");
}

/// trunc(value), but never above `limit` + 1: a quotient of rates may exceed any integer, and the
/// caller only has to see that it is too large.
std::int64_t truncated(double value, std::int64_t limit) {
    if (value >= static_cast<double>(limit) + 1.0) return limit + 1;
    return static_cast<std::int64_t>(value);
}

std::int64_t wanted(const Amount& amount, std::int64_t tokens) {
    if (amount.unit == Amount::Unit::Tokens) return amount.tokens;
    return truncated(static_cast<double>(tokens) * amount.rate, tokens);
}

/// What a layer after TSP is asked to keep of its `entering` tokens.
std::int64_t wantedLate(const trace::Settings& settings, std::int64_t tokens,
                        std::int64_t entering) {
    if (settings.kv.unit == Amount::Unit::Tokens || settings.tsp.unit == Amount::Unit::Tokens)
        return wanted(settings.kv, tokens);
    // The quotient first, then the product: the other order truncates differently.
    const double rate = settings.kv.rate / settings.tsp.rate;
    return truncated(static_cast<double>(entering) * rate, entering);
}

} // namespace

trace::Settings defaultSettings(int layers) {
    trace::Settings settings;
    settings.tspLayer = std::max(layers / 2 - 1, 0);
    return settings;
}

void validate(const trace::Settings& settings, int layers) {
    if (settings.tspLayer < 0 || settings.tspLayer >= layers)
        refuse("TSP layer " + std::to_string(settings.tspLayer),
               "0 to " + std::to_string(layers - 1));
    validateAmount(settings.tsp, "TSP");
    validateAmount(settings.kv, "KV");
    if (settings.window < 1) refuse("window " + std::to_string(settings.window), "1 token or more");
    if (settings.kernel < 1 || settings.kernel % 2 == 0)
        refuse("pooling kernel " + std::to_string(settings.kernel), "odd, 1 or more");
    if (settings.generate < 0 || settings.generate > trace::kMostGenerate)
        refuse("generate " + std::to_string(settings.generate),
               "0 to " + std::to_string(trace::kMostGenerate) + " tokens");
    validateSampling(settings.sampling);
}

trace::Budgets computeBudgets(const trace::Settings& settings, const trace::ModelInfo& model,
                              std::int64_t tokens) {
    trace::Budgets b;
    b.tokens = tokens;
    b.window = settings.window;
    b.tspLayer = settings.tspLayer;
    b.propagated = tokens;
    b.layers.assign(static_cast<std::size_t>(model.layers), {tokens, tokens});

    const std::int64_t bytesPerToken =
        static_cast<std::int64_t>(model.kvHeads) * model.kvBytesPerTokenHead();
    b.fullKvBytes = bytesPerToken * tokens * model.layers;

    if (settings.method == trace::Method::FastKv) {
        const std::int64_t window = settings.window;
        const std::int64_t asked = wanted(settings.tsp, tokens);
        b.propagated = std::clamp(asked, std::min(tokens, window), tokens);
        b.tspClamped = b.propagated != asked;
        b.tspOn = b.propagated < tokens;

        for (int l = 0; l < model.layers; ++l) {
            const bool late = l >= b.firstLate();
            trace::LayerBudget& layer = b.layers[static_cast<std::size_t>(l)];
            layer.entering = late ? b.propagated : tokens;
            const std::int64_t want =
                late ? wantedLate(settings, tokens, layer.entering) : wanted(settings.kv, tokens);
            layer.kept = std::clamp(want, std::min(layer.entering, window), layer.entering);
            b.kvClamped |= layer.kept != want;
            b.lateClamped |= late && want > layer.entering;
        }
    }

    std::int64_t kept = 0;
    for (const trace::LayerBudget& layer : b.layers)
        kept += layer.kept;
    b.kvBytes = bytesPerToken * kept;
    if (tokens > 0) {
        b.tspRate = static_cast<double>(b.propagated) / static_cast<double>(tokens);
        if (model.layers > 0)
            b.kvRate = static_cast<double>(kept) /
                       (static_cast<double>(tokens) * static_cast<double>(model.layers));
    }
    return b;
}

std::int64_t kvTokensForBytes(const trace::Settings& settings, const trace::ModelInfo& model,
                              std::int64_t tokens, std::int64_t bytes) {
    // Bytes never fall as the budget grows, so the answer can be bisected; the window always fits.
    std::int64_t low = settings.window;
    std::int64_t high = std::max<std::int64_t>(tokens, low);
    trace::Settings trial = settings;
    while (low < high) {
        const std::int64_t middle = low + (high - low + 1) / 2;
        trial.kv = Amount::ofTokens(middle);
        if (computeBudgets(trial, model, tokens).kvBytes <= bytes)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

} // namespace fkv::select
