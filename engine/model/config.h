// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/rope.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fkv::model {

/// What a Hugging Face config.json says about a model of the Llama kind, checked.
struct Config {
    std::string modelType;
    std::int32_t layers = 0;
    std::int32_t hidden = 0;
    std::int32_t intermediate = 0;
    std::int32_t queryHeads = 0;
    std::int32_t kvHeads = 0;     ///< absent in the file: all heads
    std::int32_t headDim = 0;     ///< explicit, else hidden / queryHeads
    std::int32_t vocabulary = 0;
    /// max_position_embeddings; with YaRN what the original context is stretched to, if longer.
    std::int64_t contextLength = 0;
    float rmsEps = 1e-5F;
    Rope rope;
    bool qkvBias = false; ///< queries, keys and values have a bias
    bool qkNorm = false;  ///< every query and key head is normed before it is rotated
    std::vector<std::int64_t> slidingWindows; ///< [L] or empty, as the file says; 0: sees all
    std::vector<std::int32_t> eos;  ///< generation_config.json first, then config.json
    std::int32_t bos = -1;
    bool tiedEmbeddings = false;    ///< the tensor list decides in the end

    /// A token of this layer at position p sees those from p - window + 1 on. 0: all of them, also
    /// where the window is no shorter than the context.
    std::int64_t slidingWindow(int layer) const {
        if (slidingWindows.empty()) return 0;
        const std::int64_t window = slidingWindows[static_cast<std::size_t>(layer)];
        return window < contextLength ? window : 0;
    }
    /// Does any layer hide tokens of a prompt of this length, or from what follows it?
    bool slides(std::int64_t tokens) const {
        for (int layer = 0; layer < layers; ++layer)
            if (const auto w = slidingWindow(layer); w > 0 && w <= tokens) return true;
        return false;
    }
};

/// Reads config.json (and generation_config.json) of a model folder. Throws NotFound, BadFile for
/// absent, negative or contradictory numbers, Unsupported with the family's name.
Config readConfig(const std::filesystem::path& folder);

}  // namespace fkv::model
