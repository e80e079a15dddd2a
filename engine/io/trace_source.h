// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/json_record.h"
#include "engine/io/safetensors.h"
#include "engine/trace/plane.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fkv::io {

static_assert(std::endian::native == std::endian::little, "trace files are read where they lie");

template <class T>
constexpr DType dtypeOf();
template <>
constexpr DType dtypeOf<double>() {
    return DType::F64;
}
template <>
constexpr DType dtypeOf<float>() {
    return DType::F32;
}
template <>
constexpr DType dtypeOf<std::uint16_t>() {
    return DType::F16;
} // how planes hold halves
template <>
constexpr DType dtypeOf<std::uint32_t>() {
    return DType::U32;
}
template <>
constexpr DType dtypeOf<std::int64_t>() {
    return DType::I64;
}
template <>
constexpr DType dtypeOf<std::int32_t>() {
    return DType::I32;
}
template <>
constexpr DType dtypeOf<std::int16_t>() {
    return DType::I16;
}
template <>
constexpr DType dtypeOf<std::uint8_t>() {
    return DType::U8;
}

/// What a trace file holds: tensors as planes that look into the mapping or as small vectors, and
/// metadata as texts and JSON records. Borrows the file's index; planes keep the mapping alive.
/// Throws Error{BadFile} in one line for whatever is absent or of another kind.
class TraceSource {
public:
    explicit TraceSource(const SafetensorsFile& file)
        : m_file(file), m_where(file.file()->path().string()) {}

    bool hasText(const std::string& key) const { return m_file.metadata().contains(key); }
    const std::string& text(const std::string& key) const {
        const auto it = m_file.metadata().find(key);
        if (it == m_file.metadata().end()) bad("metadata " + key + " is missing");
        return it->second;
    }
    /// Parses a metadata entry and hands its record to `use`, whose result must not borrow from it.
    template <class Use>
    auto json(const std::string& key, Use&& use) const {
        const std::string where = m_where + ": " + key;
        const nlohmann::json parsed = parseJson(text(key), where, {.maxDepth = 8});
        return use(JsonRecord(parsed, where));
    }

    bool has(const std::string& name) const { return m_file.find(name) != nullptr; }
    /// Throws unless the tensor has this shape; -1 matches any extent.
    template <class T>
    const TensorEntry& require(const std::string& name,
                               const std::vector<std::int64_t>& shape) const {
        return m_file.require(name, dtypeOf<T>(), shape);
    }
    template <class T>
    std::vector<T> list(const std::string& name, const std::vector<std::int64_t>& shape) const {
        const TensorEntry& entry = require<T>(name, shape);
        std::vector<T> out(entry.bytes.size() / sizeof(T));
        if (!out.empty()) std::memcpy(out.data(), entry.bytes.data(), entry.bytes.size());
        return out;
    }
    /// A tensor [rows, cols].
    template <class T>
    trace::PlanePtr<T> plane(const std::string& name, std::int64_t rows, std::int64_t cols) const {
        return cut<T>(require<T>(name, {rows, cols}), 1, rows, cols).front();
    }
    /// Null when there is no such tensor.
    template <class T>
    trace::PlanePtr<T> planeIf(const std::string& name, std::int64_t rows,
                               std::int64_t cols) const {
        return has(name) ? plane<T>(name, rows, cols) : nullptr;
    }
    /// A tensor [count, rows, cols] as `count` planes.
    template <class T>
    std::vector<trace::PlanePtr<T>> planes(const std::string& name, std::int64_t count,
                                           std::int64_t rows, std::int64_t cols) const {
        return cut<T>(require<T>(name, {count, rows, cols}), count, rows, cols);
    }
    [[noreturn]] void bad(const std::string& what, const std::string& hint = {}) const {
        throw Error(ErrorCode::BadFile, m_where + ": " + what, hint);
    }

private:
    template <class T>
    std::vector<trace::PlanePtr<T>> cut(const TensorEntry& entry, std::int64_t count,
                                        std::int64_t rows, std::int64_t cols) const {
        const std::byte* data = entry.bytes.data();
        std::shared_ptr<const void> owner = m_file.file();
        // Files of this program are aligned; one that another tool rewrote may not be.
        if (reinterpret_cast<std::uintptr_t>(data) % alignof(T) != 0) {
            auto copy = std::make_shared<std::vector<T>>(entry.bytes.size() / sizeof(T));
            if (!copy->empty()) std::memcpy(copy->data(), data, entry.bytes.size());
            data = reinterpret_cast<const std::byte*>(copy->data());
            owner = std::move(copy);
        }
        const auto* values = reinterpret_cast<const T*>(data);
        std::vector<trace::PlanePtr<T>> out;
        for (std::int64_t i = 0; i < count; ++i)
            out.push_back(trace::Plane<T>::view(owner, values + i * rows * cols,
                                                static_cast<std::size_t>(rows),
                                                static_cast<std::size_t>(cols)));
        return out;
    }

    const SafetensorsFile& m_file;
    std::string m_where;
};

} // namespace fkv::io
