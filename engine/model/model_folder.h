// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace fkv::model {

/// The folder that holds config.json and the weights: `path` itself, or of a Hugging Face cache
/// (`models--org--name` with refs, snapshots and blobs) the snapshot that refs/main names, else the
/// newest. Files of a snapshot may be links. Throws NotFound.
std::filesystem::path modelFolder(const std::filesystem::path& path);

/// What people call the model: the folder's name, or "org/name" inside a cache.
std::string modelName(const std::filesystem::path& folder);

} // namespace fkv::model
