// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fkv::model {

class JsonFields;

/// What sets a family of models apart from Llama, checked.
struct Family {
    std::string modelType;
    bool qkvBias = false; ///< Qwen2: the projections of queries, keys and values have a bias
    bool qkNorm = false;  ///< Qwen3: every query and key head is normed before it is rotated
    /// [L]: a token at position p sees those from p - window + 1 on; 0: all. Empty: no layer
    /// slides.
    std::vector<std::int64_t> slidingWindows;
};

/// Throws Error{Unsupported} in one line that names what is not supported: mixture of experts,
/// quantised weights, latent attention, other modalities, a model_type or an activation.
void refuseOtherFamilies(const JsonFields& config);

/// After refuseOtherFamilies(). Which layers slide follows transformers 5: all of a Mistral with a
/// window (absent: 4096), those of `layer_types` where that is given, and of a Qwen with
/// use_sliding_window those from max_window_layers on.
Family readFamily(const JsonFields& config, std::int32_t layers);

} // namespace fkv::model
