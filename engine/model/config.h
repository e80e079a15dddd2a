// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fkv::model {

/// What a Hugging Face config.json says about a Llama-family model, checked.
struct Config {
    std::string modelType;
    std::int32_t layers = 0;
    std::int32_t hidden = 0;
    std::int32_t intermediate = 0;
    std::int32_t queryHeads = 0;
    std::int32_t kvHeads = 0;     ///< absent in the file: all heads
    std::int32_t headDim = 0;     ///< explicit, else hidden / queryHeads
    std::int32_t vocabulary = 0;
    std::int64_t contextLength = 0;
    float rmsEps = 1e-5F;
    double ropeTheta = 10000.0;
    std::vector<std::int32_t> eos;  ///< generation_config.json first, then config.json
    std::int32_t bos = -1;
    bool tiedEmbeddings = false;    ///< the tensor list decides in the end
};

/// Reads config.json (and generation_config.json) of a model folder. Throws NotFound, BadFile for
/// absent, negative or contradictory numbers, Unsupported with the family's name.
Config readConfig(const std::filesystem::path& folder);

}  // namespace fkv::model
