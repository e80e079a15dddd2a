// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fkv::testing {

/// A Llama folder with random weights and the demo model's tokenizer: shapes that the demo model
/// does not have.
struct TinyModel {
    int layers = 3;
    int hidden = 48;
    int intermediate = 80;
    int queryHeads = 6;
    int kvHeads = 2;
    int headDim = 16;
    int contextLength = 1024;
    std::vector<std::int32_t> eos = {2};
    bool notANumber = false; ///< one weight of layer 1's key projection is NaN
};

/// Writes it to a folder of this name (and of this process) under the tests' temporary folder, gone
/// when the process ends.
std::filesystem::path writeTinyModel(const TinyModel& model, const std::string& name);

} // namespace fkv::testing
