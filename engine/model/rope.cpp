// SPDX-License-Identifier: Apache-2.0
#include "engine/model/rope.h"

#include "engine/core/error.h"
#include "engine/model/json_fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace fkv::model {

namespace {

constexpr std::int64_t kMostContext = 1LL << 26;

constexpr std::array kKinds{
    std::pair{"default", RopeKind::Default}, std::pair{"linear", RopeKind::Linear},
    std::pair{"dynamic", RopeKind::Dynamic}, std::pair{"llama3", RopeKind::Llama3},
    std::pair{"yarn", RopeKind::Yarn}};

RopeKind kindOf(const JsonFields& scaling) {
    // The old key is `type`.
    const std::string name = scaling.textOr("rope_type", scaling.textOr("type", "default"));
    for (const auto& [known, kind] : kKinds)
        if (name == known) return kind;
    throw Error(ErrorCode::Unsupported,
                scaling.where() + ": rope type \"" + name + "\" is not supported yet");
}

/// Of an increase in length by `scale` (YaRN, section 3.4).
double yarnTemperature(double scale, double weight) {
    return scale <= 1.0 ? 1.0 : 0.1 * weight * std::log(scale) + 1.0;
}

void readYarn(const JsonFields& scaling, std::int64_t contextLength, Rope& rope) {
    rope.factor = scaling.positiveOr("factor", static_cast<double>(contextLength) /
                                                   static_cast<double>(rope.originalContext));
    rope.betaFast = scaling.positiveOr("beta_fast", 32.0);
    rope.betaSlow = scaling.positiveOr("beta_slow", 1.0);
    rope.truncate = scaling.flagOr("truncate", true);
    if (rope.betaFast < rope.betaSlow) scaling.refuse("beta_fast is below beta_slow");
    const bool weighted = scaling.has("mscale") && scaling.has("mscale_all_dim");
    const double inferred =
        weighted ? yarnTemperature(rope.factor, scaling.positive("mscale")) /
                       yarnTemperature(rope.factor, scaling.positive("mscale_all_dim"))
                 : yarnTemperature(rope.factor, 1.0);
    rope.attentionFactor = scaling.positiveOr("attention_factor", inferred);
}

void stretchLlama3(const Rope& rope, std::vector<float>& frequencies) {
    const auto factor = static_cast<float>(rope.factor);
    const auto low = static_cast<float>(rope.lowFrequency);
    const auto range = static_cast<float>(rope.highFrequency - rope.lowFrequency);
    const auto context = static_cast<float>(rope.originalContext);
    const auto longest =
        static_cast<float>(static_cast<double>(rope.originalContext) / rope.lowFrequency);
    const auto shortest =
        static_cast<float>(static_cast<double>(rope.originalContext) / rope.highFrequency);
    for (float& f : frequencies) {
        const float wavelength = static_cast<float>(2.0 * std::numbers::pi) / f;
        if (wavelength < shortest) continue;
        if (wavelength > longest) {
            f /= factor;
            continue;
        }
        const float kept = (context / wavelength - low) / range;
        f = (1.0F - kept) * f / factor + kept * f;
    }
}

/// The dimension that turns so often over the original context.
double yarnDimension(const Rope& rope, double rotations, std::int32_t headDim) {
    return headDim *
           std::log(static_cast<double>(rope.originalContext) /
                    (rotations * 2.0 * std::numbers::pi)) /
           (2.0 * std::log(rope.theta));
}

void stretchYarn(const Rope& rope, std::int32_t headDim, std::vector<float>& frequencies) {
    double low = yarnDimension(rope, rope.betaFast, headDim);
    double high = yarnDimension(rope, rope.betaSlow, headDim);
    if (rope.truncate) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, headDim - 1.0);
    if (low == high) high += 0.001; // no division by zero
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const float ramp = std::clamp((static_cast<float>(i) - static_cast<float>(low)) /
                                          static_cast<float>(high - low),
                                      0.0F, 1.0F);
        const float kept = 1.0F - ramp;
        const float power = 1.0F / frequencies[i];
        const float stretched = 1.0F / (static_cast<float>(rope.factor) * power);
        frequencies[i] = stretched * (1.0F - kept) + frequencies[i] * kept;
    }
}

} // namespace

std::string nameOf(RopeKind kind) {
    for (const auto& [name, known] : kKinds)
        if (known == kind) return name;
    return "?";
}

Rope readRope(const JsonFields& config, std::int64_t contextLength) {
    // An old key with something in it wins over the new one, as in transformers.
    const JsonFields old = config.object("rope_scaling");
    const JsonFields scaling = old.empty() ? config.object("rope_parameters") : old;
    for (const char* layers : {"full_attention", "sliding_attention"})
        if (scaling.has(layers))
            throw Error(ErrorCode::Unsupported, scaling.where() +
                                                    ": other rotary positions in some layers (" +
                                                    layers + ") are not supported yet");
    Rope rope;
    rope.theta = scaling.positiveOr("rope_theta", config.positiveOr("rope_theta", rope.theta));
    if (scaling.positiveOr("partial_rotary_factor",
                           config.positiveOr("partial_rotary_factor", 1.0)) != 1.0)
        throw Error(ErrorCode::Unsupported,
                    config.where() + ": partial_rotary_factor is not supported yet");
    rope.kind = kindOf(scaling);
    if (rope.kind == RopeKind::Default || rope.kind == RopeKind::Dynamic) return rope;
    rope.originalContext = config.integerOr(
        "original_max_position_embeddings",
        scaling.integerOr("original_max_position_embeddings", contextLength, kMostContext),
        kMostContext);
    if (rope.kind == RopeKind::Yarn) {
        readYarn(scaling, contextLength, rope);
    } else {
        rope.factor = scaling.positive("factor");
        if (rope.kind == RopeKind::Linear) rope.originalContext = 0;
        if (rope.kind == RopeKind::Llama3) {
            rope.lowFrequency = scaling.positive("low_freq_factor");
            rope.highFrequency = scaling.positive("high_freq_factor");
            if (rope.highFrequency <= rope.lowFrequency)
                scaling.refuse("high_freq_factor is not above low_freq_factor");
        }
    }
    if (rope.theta <= 1.0) config.refuse("rope_theta must be above 1");
    return rope;
}

std::vector<float> inverseFrequencies(const Rope& rope, std::int32_t headDim) {
    std::vector<float> frequencies(static_cast<std::size_t>(headDim / 2));
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const float exponent = static_cast<float>(2 * i) / static_cast<float>(headDim);
        frequencies[i] = 1.0F / std::pow(static_cast<float>(rope.theta), exponent);
        if (rope.kind == RopeKind::Linear) frequencies[i] /= static_cast<float>(rope.factor);
    }
    if (rope.kind == RopeKind::Llama3) stretchLlama3(rope, frequencies);
    if (rope.kind == RopeKind::Yarn) stretchYarn(rope, headDim, frequencies);
    return frequencies;
}

RopeTables ropeTables(const Rope& rope, std::int32_t headDim, std::int64_t positions) {
    const std::vector<float> frequencies = inverseFrequencies(rope, headDim);
    const std::size_t half = frequencies.size();
    const auto scale = static_cast<float>(rope.attentionFactor);
    RopeTables tables;
    tables.cosines.resize(static_cast<std::size_t>(positions) * half);
    tables.sines.resize(tables.cosines.size());
    for (std::size_t x = 0; x < static_cast<std::size_t>(positions); ++x)
        for (std::size_t i = 0; i < half; ++i) {
            const float angle = static_cast<float>(x) * frequencies[i];
            tables.cosines[x * half + i] = std::cos(angle) * scale;
            tables.sines[x * half + i] = std::sin(angle) * scale;
        }
    return tables;
}

} // namespace fkv::model
