// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace fkv::io {

/// A file that appears under its name only when complete: written beside it under a temporary name,
/// synced and renamed by commit(); removed by the destructor otherwise. Throws Error{Io} with the
/// system's reason (disk full, read-only folder).
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    void write(std::span<const std::byte> bytes);
    void commit();

private:
    std::filesystem::path m_path;
    std::filesystem::path m_temporary;
    int m_descriptor = -1;
};

}  // namespace fkv::io
