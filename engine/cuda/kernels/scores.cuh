// SPDX-License-Identifier: Apache-2.0
#pragma once

// Selection (SPEC section 1): window sums, pooled saliency, ranks. Scores are fp32 throughout.

#include <cstddef>
#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

namespace fkv::cuda {

struct WindowSums {
    const __nv_bfloat16* queries; ///< [w, H, d], `queryStride` elements from row to row
    std::int64_t queryStride;
    const __nv_bfloat16* keys; ///< [G, capacity, d]
    std::int64_t capacity, length;
    int window, queryHeads, kvHeads, headDim; ///< headDim 32, 64 or 128
    float scale;
    float* out; ///< [H, length - w], `outStride` from row to row
    std::int64_t outStride;
    void* scratch; ///< windowSumsScratch() bytes, 16-byte aligned
    const std::int32_t* firstRows =
        nullptr; ///< device, [w] ascending: what a window hides; or null

#ifdef __CUDACC__
    __device__ std::int64_t first(int row) const {
        return firstRows == nullptr ? 0 : firstRows[row];
    }
#endif
};
/// Logits [G, w g, S] and the softmax' maximum and sum of every 128 keys.
std::size_t windowSumsScratch(std::int64_t length, int window, int queryHeads);
cudaError_t windowSums(const WindowSums& p, cudaStream_t s);

struct Saliency {
    const float* windowSums; ///< [H, M]
    int queryHeads, kvHeads, kernel;
    bool average;
    std::int64_t tokens;             ///< M
    float* saliency;                 ///< [G, M]
    float* total;                    ///< [M]
    std::int64_t firstCandidate = 0; ///< tokens before it score 0
};
/// Sums in the order of the CPU's: the same window sums give the same bits.
cudaError_t saliency(const Saliency& p, cudaStream_t s);

struct Ranks {
    const float* scores;  ///< [rows, M]
    std::uint32_t* ranks; ///< [rows, M]
    std::int64_t rows, tokens;
    void* scratch; ///< ranksScratch() bytes, 256-byte aligned
};
std::size_t ranksScratch(std::int64_t rows, std::int64_t tokens);
/// One stable radix sort on (row, descending score): ties to the lower index, NaN last.
cudaError_t ranks(const Ranks& p, cudaStream_t s);

} // namespace fkv::cuda
