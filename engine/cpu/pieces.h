// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"
#include "engine/cpu/kernels.h"
#include "engine/ops/tensor.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace fkv::cpu {

constexpr std::int64_t kKeyBlock = 96;    ///< keys in one block of scores
constexpr std::int64_t kQueryBlock = 64;  ///< query rows that share a block of keys

/// Logits of a window that a thread keeps: half a MiB stays near the processor.
constexpr std::int64_t kWindowLogits = std::int64_t{1} << 17;

// A piece of a product: a panel of weights that stays in the nearest cache while many rows of x pass.
constexpr std::int64_t kRowPiece = 256;
constexpr std::int64_t kColumnPiece = 64;
constexpr std::int64_t kDepthPiece = 256;

constexpr std::int64_t piecesOf(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

/// Queries rounded up to whole vectors.
constexpr std::int64_t padded(std::int64_t n) { return piecesOf(n, kLanes) * kLanes; }

inline float* rowOf(const ops::View& v, std::int64_t row) { return v.as<float>() + row * v.stride; }

/// How the kernels name the type of a weight matrix.
inline Stored storedAs(DType type) {
    if (type == DType::F16) return Stored::F16;
    return type == DType::BF16 ? Stored::BF16 : Stored::F32;
}

/// Numbers from `column` of a row on, of any type.
inline const void* weightsAt(const ops::View& v, std::int64_t row, std::int64_t column) {
    return static_cast<const std::byte*>(v.data) +
           static_cast<std::size_t>(row * v.stride + column) * sizeOf(v.dtype);
}

/// Scratch grows in reserve() alone; a call past what was reserved is our own mistake.
template <class T>
T* scratch(std::vector<T>& memory, std::int64_t count) {
    if (static_cast<std::int64_t>(memory.size()) < count)
        throw Error(ErrorCode::Internal, "a CPU operation exceeds the reserved extents");
    return memory.data();
}

}  // namespace fkv::cpu
