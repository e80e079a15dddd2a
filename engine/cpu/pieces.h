// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"
#include "engine/ops/tensor.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace fkv::cpu {

constexpr std::int64_t kKeyBlock = 256;   ///< keys in one block of scores
constexpr std::int64_t kQueryBlock = 64;  ///< query rows that share a block of keys

constexpr std::int64_t piecesOf(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

inline float* rowOf(const ops::View& v, std::int64_t row) { return v.as<float>() + row * v.stride; }

/// Scratch grows in reserve() alone; a call past what was reserved is our own mistake.
template <class T>
T* scratch(std::vector<T>& memory, std::int64_t count) {
    if (static_cast<std::int64_t>(memory.size()) < count)
        throw Error(ErrorCode::Internal, "a CPU operation exceeds the reserved extents");
    return memory.data();
}

}  // namespace fkv::cpu
