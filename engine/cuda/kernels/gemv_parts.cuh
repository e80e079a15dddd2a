// SPDX-License-Identifier: Apache-2.0
#pragma once

// What both kernels of a matrix-vector product share: which rows a warp has, the vector and its
// norm, and where sums go. Included by gemv.cu and gemv_sm90.cu alone.

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/kernels/launch.cuh"

#include <algorithm>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kUnit = 32 * kLanes; ///< values a warp reads at once
constexpr int kBlocksPerMultiprocessor = 2;

__device__ __forceinline__ float dot(const Eight& w, const Eight& x, float sum) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const float2 a = __bfloat1622float2(w.v[i]);
        const float2 b = __bfloat1622float2(x.v[i]);
        sum = fmaf(a.x, b.x, sum);
        sum = fmaf(a.y, b.y, sum);
    }
    return sum;
}

__device__ float warpSum(float v) {
    for (int o = 16; o > 0; o /= 2)
        v += __shfl_xor_sync(0xffffffff, v, o);
    return v;
}

/// Whole units of the vector; what lies behind its end is zero.
__host__ __device__ inline int unitsOf(const Gemv& p) {
    return (p.in + kUnit - 1) / kUnit;
}

/// Asks for the pieces that this thread itself is going to read.
__device__ void fetchVector(const bf16* from, int count, bf16* to) {
    for (int c = threadIdx.x * kLanes; c < count; c += kThreads * kLanes)
        fetch(to + c, from + c);
}

/// x / rms(x) * norm in place, each thread its own pieces; the sums meet in `parts`.
__device__ void normVector(const Gemv& p, bf16* x, const bf16* norm, float* parts) {
    float sum = 0.0F;
    for (int c = threadIdx.x * kLanes; c < p.in; c += kThreads * kLanes) {
        const Eight e = *reinterpret_cast<const Eight*>(x + c);
        sum = dot(e, e, sum);
    }
    sum = warpSum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0.0F;
    for (int i = 0; i < kWarps; ++i)
        sum += parts[i];
    const float scale = rsqrtf(sum / static_cast<float>(p.in) + p.eps);
    for (int c = threadIdx.x * kLanes; c < p.in; c += kThreads * kLanes) {
        Eight e = *reinterpret_cast<const Eight*>(x + c);
        const Eight n = *reinterpret_cast<const Eight*>(norm + c);
#pragma unroll
        for (int i = 0; i < kLanes / 2; ++i) {
            const float2 v = __bfloat1622float2(e.v[i]), w = __bfloat1622float2(n.v[i]);
            e.v[i] = __floats2bfloat162_rn(v.x * scale * w.x, v.y * scale * w.y);
        }
        *reinterpret_cast<Eight*>(x + c) = e;
    }
}

/// Shared memory of the vector and, behind it, its norm's weights.
struct Vector {
    bf16 *x, *norm;
    static std::size_t bytes(const Gemv& p) {
        const std::size_t one = static_cast<std::size_t>(unitsOf(p)) * kUnit * sizeof(bf16);
        return p.norm != nullptr ? 2 * one : one;
    }
    __device__ Vector(const Gemv& p, void* memory)
        : x(static_cast<bf16*>(memory)), norm(x + unitsOf(p) * kUnit) {}
    /// What does not depend on the kernel in front.
    __device__ void fetchEarly(const Gemv& p) const {
        if (p.norm != nullptr) fetchVector(p.norm, p.in, norm);
        for (int c = p.in + threadIdx.x; c < unitsOf(p) * kUnit; c += kThreads)
            x[c] = __float2bfloat16(0.0F);
    }
    /// Waits for all copies of this thread, then for the block.
    __device__ void fetchAndNorm(const Gemv& p, float* sums) const {
        fetchVector(p.x, p.in, x);
        commitFetches();
        waitForAllBut<0>();
        if (p.norm != nullptr) normVector(p, x, norm, sums);
        __syncthreads();
    }
};

/// Writes a row's sum. Gate rows come right before their up rows, in the same lane.
__device__ void write(const Gemv& p, int row, float sum, float& gate) {
    if (p.bias != nullptr) sum += __bfloat162float(p.bias[row]);
    auto* out = static_cast<bf16*>(p.out);
    switch (p.kind) {
    case GemvOut::Store:
        out[row] = __float2bfloat16(sum);
        break;
    case GemvOut::Add:
        out[row] = __float2bfloat16(__bfloat162float(out[row]) + sum);
        break;
    case GemvOut::SwiGlu: {
        // The two halves are rounded first, as the unfused ops round them.
        const float rounded = __bfloat162float(__float2bfloat16(sum));
        if (row < p.rows / 2)
            gate = rounded;
        else
            out[row - p.rows / 2] = __float2bfloat16(gate / (1.0F + __expf(-gate)) * rounded);
        break;
    }
    case GemvOut::StoreF32:
        static_cast<float*>(p.out)[row] = sum;
        break;
    }
}

/// The rows of one warp in order: all warps take neighbours at the same time, those of a block far
/// apart, so that the last, incomplete round is spread over all. For SwiGLU a row of the gate, then
/// its row of up.
struct WarpRows {
    bool pairs;
    int items, first, stride, count;

    __device__ explicit WarpRows(const Gemv& p)
        : pairs(p.kind == GemvOut::SwiGlu),
          items(pairs ? p.rows / 2 : p.rows),
          first(threadIdx.x / 32 * gridDim.x + blockIdx.x),
          stride(gridDim.x * kWarps),
          count(first < items ? (items - first + stride - 1) / stride * (pairs ? 2 : 1) : 0) {}
    __device__ int row(int i) const {
        return pairs ? first + i / 2 * stride + i % 2 * items : first + i * stride;
    }
};

inline dim3 gemvGrid(const Gemv& p) {
    const int items = p.kind == GemvOut::SwiGlu ? p.rows / 2 : p.rows;
    return dim3(static_cast<unsigned>(
        std::min(kBlocksPerMultiprocessor * multiprocessors(), (items + kWarps - 1) / kWarps)));
}

} // namespace

} // namespace fkv::cuda
