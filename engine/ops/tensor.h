// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/dtype.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace fkv::ops {

/// Memory of a backend; freed with its last owner. Host memory on the CPU backend.
class Buffer {
public:
    virtual ~Buffer() = default;
    virtual void* data() const = 0;
    virtual std::size_t bytes() const = 0;
};
using BufferPtr = std::shared_ptr<Buffer>;

/// What a buffer is for: sized before a run, freed together (DESIGN, issue on memory).
enum class Lifetime : std::uint8_t { Weights, Session, Scratch };

/// Where a buffer lies: host memory that ops reach over the bus is for what is rarely read. On the CPU
/// both are the same.
enum class Place : std::uint8_t { Device, Host };

/// A matrix [rows, cols] in backend memory; `stride` elements from row to row. Does not own.
struct View {
    void* data = nullptr;
    DType dtype = DType::F32;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t stride = 0;

    template <class T>
    T* as() const { return static_cast<T*>(data); }
    View rowsFrom(std::int64_t begin, std::int64_t count) const {
        auto* bytes = static_cast<std::byte*>(data);
        return {bytes + static_cast<std::size_t>(begin * stride) * sizeOf(dtype), dtype, count, cols, stride};
    }
    std::int64_t elements() const { return rows * cols; }
};

/// A view that keeps its memory.
struct Tensor {
    BufferPtr buffer;
    View view;
};

/// Keys and values of one layer, head-major: keys and values are [kvHeads, capacity, headDim],
/// contiguous. The first `length` tokens of every head are filled. Does not own.
struct KvView {
    void* keys = nullptr;
    void* values = nullptr;
    DType dtype = DType::F32;
    std::int64_t kvHeads = 0;
    std::int64_t capacity = 0;
    std::int64_t headDim = 0;
    std::int64_t length = 0;

    /// Tokens [begin, begin + count) of every head.
    KvView slice(std::int64_t begin, std::int64_t count) const {
        const std::size_t skip = static_cast<std::size_t>(begin * headDim) * sizeOf(dtype);
        return {static_cast<std::byte*>(keys) + skip, static_cast<std::byte*>(values) + skip,
                dtype, kvHeads, capacity, headDim, count};
    }
};

}  // namespace fkv::ops
