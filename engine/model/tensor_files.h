// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/safetensors.h"
#include "engine/model/config.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fkv::model {

/// The tensors of a model folder by name: model.safetensors, or the shards that
/// model.safetensors.index.json names.
class TensorFiles {
public:
    /// Throws NotFound or BadFile.
    explicit TensorFiles(const std::filesystem::path& folder);

    const std::vector<io::SafetensorsFile>& files() const { return m_files; }
    const io::TensorEntry* find(const std::string& name) const;
    /// Throws BadFile when absent or of another shape, Unsupported when not F32, F16 or BF16.
    const io::TensorEntry& require(const std::string& name, std::vector<std::int64_t> shape) const;

    /// FNV-1a of what `config` says and of every tensor's name, type and shape, in name order: the
    /// same for the same model however its files are cut.
    std::uint64_t fingerprint(const Config& config) const;

private:
    std::vector<io::SafetensorsFile> m_files;
};

} // namespace fkv::model
