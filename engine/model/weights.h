// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/config.h"
#include "engine/model/tensor_files.h"
#include "engine/ops/backend.h"

#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

namespace fkv::model {

/// A model's weights in backend memory, q|k|v and gate|up fused, and the RoPE tables. Owns them.
/// Matrices are of the backend's weight type, or where it takes them so (DeviceInfo::
/// matricesAsStored) in the type of the files; norms and biases always of the weight type.
struct Weights {
    std::vector<ops::LayerWeights> layers;
    ops::View embedding; ///< [V, hidden]
    ops::View finalNorm; ///< [1, hidden]
    ops::View lmHead;    ///< [V, hidden]; the embedding when tied
    ops::View cosTable;  ///< [contextLength, d/2] F32
    ops::View sinTable;  ///< [contextLength, d/2] F32
    std::int64_t bytes = 0;
    std::uint64_t fingerprint = 0; ///< of the config and the tensor list, see TensorFiles
    std::vector<ops::BufferPtr> buffers;

    /// What one decoded token reads: of the tables, and of an embedding that is no head, it reads
    /// one row.
    std::int64_t stepBytes() const;
};

/// Throws unless every tensor that `config` asks for is there, in its shape and in a type that can
/// be loaded, and no other: BadFile or Unsupported. What nobody reads would mean another model.
void checkTensors(const TensorFiles& files, const Config& config);

/// Throws Unsupported in one line when `device` does not run models of these dimensions.
void checkDevice(const Config& config, const ops::DeviceInfo& device);

/// Loads model.safetensors, or the shards that model.safetensors.index.json names. Every tensor's
/// shape is checked against the config. `progress` gets a fraction in [0, 1]; may be empty.
/// Throws NotFound, BadFile, or Cancelled.
Weights loadWeights(const std::filesystem::path& folder, const Config& config,
                    ops::Backend& backend, const std::function<void(double)>& progress,
                    const std::stop_token& stop);

} // namespace fkv::model
