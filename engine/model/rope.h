// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fkv::model {

class JsonFields;

/// How rotary positions are stretched past the context that a model was first trained on.
enum class RopeKind : std::uint8_t {
    Default,
    Linear,  ///< all frequencies by `factor`
    Dynamic, ///< stretched past max_position_embeddings alone, where no prompt goes: as Default
    Llama3,  ///< slow frequencies by `factor`, those between two wavelengths partly
    Yarn     ///< the same by number of rotations (arXiv 2309.00071), with cos and sin scaled
};
std::string nameOf(RopeKind kind);

/// What config.json says about rotary positions, checked.
struct Rope {
    double theta = 10000.0;
    RopeKind kind = RopeKind::Default;
    double factor = 1.0;
    std::int64_t originalContext = 0;       ///< Llama3, Yarn: trained on before stretching
    double lowFrequency = 1.0;              ///< Llama3
    double highFrequency = 4.0;             ///< Llama3
    double betaFast = 32.0, betaSlow = 1.0; ///< Yarn: rotations where stretching begins and ends
    bool truncate = true;                   ///< Yarn: to whole dimensions
    double attentionFactor = 1.0;           ///< Yarn: of cos and sin
    bool operator==(const Rope&) const = default;
};

/// Reads `rope_theta` with `rope_scaling` (transformers 4) or `rope_parameters` (5), whichever is
/// there. `contextLength` is max_position_embeddings. Throws BadFile, or Unsupported with the name
/// of a kind that is not above.
Rope readRope(const JsonFields& config, std::int64_t contextLength);

/// [d/2], in float32 step by step as Hugging Face computes them: double precision moves logits.
std::vector<float> inverseFrequencies(const Rope& rope, std::int32_t headDim);

/// cos and sin of position x inverse frequency, [positions, d/2] each, times the attention factor;
/// angles rounded to float32 as Hugging Face does (SPEC, symbols).
struct RopeTables {
    std::vector<float> cosines, sines;
};
RopeTables ropeTables(const Rope& rope, std::int32_t headDim, std::int64_t positions);

} // namespace fkv::model
