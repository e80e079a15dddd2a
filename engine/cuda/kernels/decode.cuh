// SPDX-License-Identifier: Apache-2.0
#pragma once

// One generated token: streaming matrix-vector products and attention split over the cache. The
// floor is bytes of weights and kept keys and values over bandwidth. What changes from step to step
// (token, position, cache lengths) is read from device memory, so that one graph serves all steps.

#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

namespace fkv::cuda {

inline constexpr int kLanes = 8; ///< bf16 values of one 16-byte load
struct alignas(16) Eight {
    __nv_bfloat162 v[4];
};

/// State of a step on the device, written by the host before every step.
struct StepState {
    std::int32_t token;
    std::int32_t position;
    std::int32_t generated; ///< tokens appended to every tail before this step
    std::int32_t unused;
    const std::uint32_t* tokenAt; ///< in place of `token`; null: `token`
};

enum class GemvOut : std::uint8_t {
    Store,  ///< bf16
    Add,    ///< bf16, added to what is there: the residual
    SwiGlu, ///< rows i and i + n/2 become silu(gate) * up; out has n/2 values
    StoreF32
};

/// out = W norm(x) (+ bias), W [rows, in] bf16 row-major, fp32 sums. in and rows even, in a
/// multiple of 8 and at most kGemvMostIn.
struct Gemv {
    const __nv_bfloat16* x;    ///< [in]
    const __nv_bfloat16* norm; ///< [in] RMSNorm weights, or null: x as it is
    float eps;
    const __nv_bfloat16* weight;
    const __nv_bfloat16* bias; ///< [rows] or null
    std::int32_t in, rows;
    void* out;
    GemvOut kind;
};
inline constexpr int kGemvMostIn = 24576;
/// gemvSm90 for compute capability 9.0 alone.
cudaError_t gemvSm80(const Gemv& p, cudaStream_t s);
cudaError_t gemvSm90(const Gemv& p, cudaStream_t s);

/// x = table[token]
cudaError_t embedStep(const StepState* state, const __nv_bfloat16* table, std::int64_t cols,
                      __nv_bfloat16* x, cudaStream_t s);

/// Keys and values a token attends to: prefix, tail, and itself.
struct DecodeCacheView {
    const __nv_bfloat16 *prefixKeys, *prefixValues; ///< [G, prefixCapacity, d]
    __nv_bfloat16 *tailKeys, *tailValues;           ///< [G, tailCapacity, d]
    std::int64_t prefixCapacity, tailCapacity;
    std::int32_t prefixLength;
    std::int32_t tailFilled; ///< tail tokens before the first generated one
    /// A token at position p sees those from p - slidingWindow + 1 on; 0: all. The tail has no
    /// gaps, its newest token is at the step's position.
    std::int32_t slidingWindow;
    const std::int32_t* prefixPositions; ///< [G or 1, prefixLength], or null: 0, 1, 2, ...
    std::int64_t positionStride;         ///< from KV head to KV head; 0: one row for all
};
/// Rotates q and k of one token, appends k and v to the tail at its filled + generated, and
/// attends.
struct DecodeAttention {
    const StepState* state;
    const __nv_bfloat16* qkv;         ///< [(H + 2 G) d]
    const float *cosTable, *sinTable; ///< [positions, d/2]
    /// RMSNorm weights [d] of query and key heads, before they are rotated; or null.
    const __nv_bfloat16 *queryNorm, *keyNorm;
    float eps;
    DecodeCacheView cache;
    int queryHeads, kvHeads, headDim; ///< headDim 32, 64, 128; at most 8 query heads a group
    float scale;
    float* partial;     ///< decodePartialFloats() floats
    unsigned* arrived;  ///< [G], zero before the first step and after every one
    __nv_bfloat16* out; ///< [H d]
};
inline constexpr int kDecodeSplits = 32; ///< blocks a KV head; a constant, so that bits repeat
std::int64_t decodePartialFloats(int queryHeads, int headDim);
cudaError_t decodeAttention(const DecodeAttention& p, cudaStream_t s);

/// ids[r] = index of the largest of row r, the lower of equals.
struct ArgMax {
    const float* logits; ///< [rows, columns], row stride `stride`
    std::int64_t rows, stride;
    std::uint32_t columns;
    std::uint32_t* ids; ///< [rows]
    void* scratch;      ///< argMaxScratch(rows) bytes
    unsigned* arrived;  ///< [rows], zero before and after
};
std::size_t argMaxScratch(std::int64_t rows);
cudaError_t argMax(const ArgMax& p, cudaStream_t s);

} // namespace fkv::cuda
