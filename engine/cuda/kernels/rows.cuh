// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ops that go over rows of bf16 activations once: their time is bytes over bandwidth. Extents in
// elements; cols and strides are multiples of 8 (16-byte accesses).

#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

namespace fkv::cuda {

struct Rows {
    __nv_bfloat16* data;
    std::int64_t rows, cols, stride;
};

/// out[i] = x[index[i]]; `index` on the device, [out.rows].
cudaError_t gatherRows(const Rows& x, const std::int32_t* index, const Rows& out, cudaStream_t s);

/// out = x / sqrt(mean(x^2) + eps) * weight; out may be x.
cudaError_t rmsNorm(const Rows& x, const __nv_bfloat16* weight, float eps, const Rows& out,
                    cudaStream_t s);

/// out [rows, F] = silu(gate) * up of gateUp [rows, 2 F].
cudaError_t swiglu(const Rows& gateUp, const Rows& out, cudaStream_t s);

struct RopeAppend {
    Rows qkv;                      ///< [rows, (H + 2 G) d]
    const std::int32_t* positions; ///< device, [rows]
    const float* cosTable;         ///< [positions, d/2]
    const float* sinTable;
    std::int64_t queryHeads, kvHeads, headDim; ///< headDim a multiple of 16
    __nv_bfloat16 *keys, *values;              ///< [G, capacity, d]
    std::int64_t capacity, at;
    /// RMSNorm weights [d] of query and key heads, before they are rotated; or null. headDim is
    /// then a power of two.
    const __nv_bfloat16 *queryNorm = nullptr, *keyNorm = nullptr;
    float eps = 0.0F;
};
/// Rotates q and k in place (half-split layout) and appends k and v to the cache.
cudaError_t ropeAppend(const RopeAppend& p, cudaStream_t s);

struct GatherKv {
    const __nv_bfloat16 *keys, *values; ///< [G, fromCapacity, d]
    const std::uint32_t* ranks;         ///< [G, columns], `rankStride` from row to row
    __nv_bfloat16 *outKeys, *outValues; ///< [G, outCapacity, d]
    std::int64_t kvHeads, headDim, columns, rankStride, fromCapacity, outCapacity, count;
    const std::int32_t* fromPositions = nullptr; ///< [columns], or null: 0, 1, 2, ...
    std::int32_t* positions = nullptr;           ///< [G, count] of the slots, or null
    std::int64_t positionStride = 0;
};
/// Tokens with rank < count go to slot rank.
cudaError_t gatherKv(const GatherKv& p, cudaStream_t s);

} // namespace fkv::cuda
