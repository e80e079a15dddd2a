// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cuda_runtime.h>

namespace fkv::cuda {

/// Grouped-query attention of ops::AttentionParams in bf16 with fp32 accumulation and softmax, for
/// head sizes 32, 64 and 128. Every pointer is device memory, 16-byte aligned.
struct Attention {
    const void* queries;          ///< [rows, H, d], `queryStride` elements from row to row
    void* out;                    ///< [rows, H, d], `outStride` elements from row to row
    std::int64_t queryStride = 0; ///< a multiple of 8
    std::int64_t outStride = 0;   ///< a multiple of 8
    std::int64_t rows = 0;
    int queryHeads = 0;
    int kvHeads = 0;
    int headDim = 0;
    float scale = 0.0F;

    static constexpr int kNoWindow = 0x7fffffff;
    /// One stretch of keys. Row r sees the tokens before visible(r) whose label is at least
    /// first(r). visible(r): clamp(causalOffset + r + 1, 0, length), or clamp(visibleRows[r], 0,
    /// length) when given. first(r): max(0, visible(r) - window), or firstRows[r] when given. A
    /// token's label is its place, or what `positions` says. Both lists are device memory,
    /// ascending.
    struct Range {
        const void* keys = nullptr; ///< [G, capacity, d]
        const void* values = nullptr;
        std::int64_t capacity = 0;
        std::int64_t length = 0;
        std::int64_t causalOffset = 0;
        const std::int32_t* visibleRows = nullptr;
        int window = kNoWindow;
        const std::int32_t* firstRows = nullptr;
        const std::int32_t* positions = nullptr; ///< [G or 1, length]; firstRows is given too
        std::int64_t positionStride = 0;         ///< from KV head to KV head; 0: one row for all

#ifdef __CUDACC__
        __device__ int visible(std::int64_t row) const {
            const std::int64_t v =
                visibleRows != nullptr ? visibleRows[row] : causalOffset + row + 1;
            return static_cast<int>(max(static_cast<std::int64_t>(0), min(v, length)));
        }
        __device__ int first(std::int64_t row) const {
            return firstRows != nullptr ? firstRows[row] : max(0, visible(row) - window);
        }
        /// Place of the first token that a tile of rows from this one on may see.
        __device__ int begin(std::int64_t row) const {
            return positions != nullptr ? 0 : first(row);
        }
        __device__ int label(int kvHead, int place) const {
            return positions == nullptr ? place : positions[kvHead * positionStride + place];
        }
#endif
    };

    Range ranges[2];
    int rangeCount = 1;
    int multiprocessors = 132;
};

/// Both enqueue on `stream`, allocate nothing and return the launch's error. Head sizes other than
/// 32, 64, 128 give cudaErrorInvalidValue. Sm90: wgmma, bulk tensor copies and warp specialisation,
/// for Hopper alone. Sm80: mma.sync and cp.async, for everything from compute capability 8.0 on.
cudaError_t attentionSm90(const Attention& p, cudaStream_t stream);
cudaError_t attentionSm80(const Attention& p, cudaStream_t stream);

} // namespace fkv::cuda
