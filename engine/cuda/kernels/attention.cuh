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

    /// One stretch of keys. Row r sees its first clamp(causalOffset + r + 1, 0, length) tokens, or
    /// clamp(visibleRows[r], 0, length) when given (device memory, ascending).
    struct Range {
        const void* keys = nullptr; ///< [G, capacity, d]
        const void* values = nullptr;
        std::int64_t capacity = 0;
        std::int64_t length = 0;
        std::int64_t causalOffset = 0;
        const std::int32_t* visibleRows = nullptr;
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
