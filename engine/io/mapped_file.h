// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace fkv::io {

/// A file mapped read-only. Shared, so that tensors and planes can keep it alive.
/// Truncating a mapped file from outside is the one thing that cannot be guarded against here.
class MappedFile {
public:
    /// Throws NotFound, Io, or BadFile for a folder or a device.
    static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
    /// Bytes that are in memory already, as if they were a file of that name.
    static std::shared_ptr<const MappedFile> own(std::vector<std::byte> bytes,
                                                 const std::filesystem::path& name);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {m_data, m_size}; }
    const std::filesystem::path& path() const { return m_path; }

private:
    MappedFile() = default;
    std::filesystem::path m_path;
    std::vector<std::byte> m_owned;
    const std::byte* m_data = nullptr;
    std::size_t m_size = 0;
};

}  // namespace fkv::io
