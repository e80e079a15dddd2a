// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/read_ahead.h"
#include "engine/model/config.h"
#include "engine/model/tensor_files.h"
#include "engine/ops/backend.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
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

/// The weight files of a folder: model.safetensors, or the shards that model.safetensors.index.json
/// names.
class WeightFiles {
public:
    /// Throws NotFound, and unless every tensor that `config` asks for is there, in its shape and
    /// in a type that can be loaded, and no other: BadFile or Unsupported. What nobody reads would
    /// mean another model.
    WeightFiles(const std::filesystem::path& folder, const Config& config);

    const TensorFiles& tensors() const { return m_tensors; }
    /// Has the disk read from now on, in the order in which loadWeights() places tensors.
    void readAhead();
    void used(std::size_t bytes); ///< placed: reading may go on by as much

private:
    TensorFiles m_tensors;
    std::vector<std::span<const std::byte>> m_order;
    std::optional<io::ReadAhead> m_ahead;
};

/// Throws Unsupported in one line when `device` does not run models of these dimensions.
void checkDevice(const Config& config, const ops::DeviceInfo& device);

/// Places all tensors in backend memory. `progress` gets a fraction in [0, 1]; may be empty. Throws
/// Cancelled, and what the backend throws.
Weights loadWeights(WeightFiles& files, const Config& config, ops::Backend& backend,
                    const std::function<void(double)>& progress, const std::stop_token& stop);

} // namespace fkv::model
