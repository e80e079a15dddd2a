// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/dtype.h"
#include "engine/io/mapped_file.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::io {

/// One tensor of a file: a name, a dtype, a shape and its bytes inside the mapping.
/// Bytes are little-endian and may be unaligned.
struct TensorEntry {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;

    std::int64_t elements() const;
};

/// Reader for the safetensors format (u64 header length, JSON header, data), hardened: every length,
/// offset, shape product, overlap, hole and duplicate is checked before anything is handed out.
/// Throws Error{BadFile} with one line that names the file and the fault.
class SafetensorsFile {
public:
    static SafetensorsFile open(const std::filesystem::path& path);
    static SafetensorsFile open(std::shared_ptr<const MappedFile> file);

    const std::vector<TensorEntry>& tensors() const { return m_tensors; }  ///< in file order
    const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    /// Null when there is no such tensor.
    const TensorEntry* find(std::string_view name) const;
    /// Throws BadFile when absent, or of another dtype or shape; -1 in `shape` matches any extent.
    const TensorEntry& require(std::string_view name, DType dtype,
                               std::span<const std::int64_t> shape) const;
    const std::shared_ptr<const MappedFile>& file() const { return m_file; }

private:
    std::shared_ptr<const MappedFile> m_file;
    std::vector<TensorEntry> m_tensors;
    std::map<std::string, std::size_t, std::less<>> m_index;
    std::map<std::string, std::string> m_metadata;
};

/// Writes a safetensors file: to a temporary file beside `path`, synced, then renamed, so that an
/// earlier file survives any failure. Tensor data starts 64-byte aligned. Throws Error{Io}.
class SafetensorsWriter {
public:
    void metadata(std::string key, std::string value);
    /// `write` is called once while saving with a sink that must receive exactly the tensor's bytes.
    using Sink = std::function<void(std::span<const std::byte>)>;
    void add(std::string name, DType dtype, std::vector<std::int64_t> shape,
             std::function<void(const Sink&)> write);
    /// The memory must live until save() returns.
    void add(std::string name, DType dtype, std::vector<std::int64_t> shape,
             std::span<const std::byte> bytes);
    /// `progress` gets a fraction in [0, 1]; may be empty.
    void save(const std::filesystem::path& path, const std::stop_token& stop = {},
              const std::function<void(double)>& progress = {}) const;

private:
    struct Item {
        std::string name;
        DType dtype;
        std::vector<std::int64_t> shape;
        std::function<void(const Sink&)> write;
    };
    std::vector<Item> m_items;
    std::map<std::string, std::string> m_metadata;
};

}  // namespace fkv::io
