// SPDX-License-Identifier: Apache-2.0

// Blocks look at stretches of a row; the one that is done last looks at what they found.

#include "engine/cuda/kernels/decode.cuh"

#include <cmath>

namespace fkv::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 64;

struct Best {
    float value = -INFINITY;
    std::uint32_t index = 0xFFFFFFFFU;

    /// NaN never wins; of equals the lower index does.
    __device__ void take(float v, std::uint32_t i) {
        if (isnan(v)) return;
        if (v > value || (v == value && i < index)) {
            value = v;
            index = i;
        }
    }
};

/// The block's best, in thread 0.
__device__ Best ofBlock(Best best) {
    __shared__ Best warps[kThreads / 32];
    for (int o = 16; o > 0; o /= 2) {
        const float value = __shfl_xor_sync(0xffffffff, best.value, o);
        const std::uint32_t index = __shfl_xor_sync(0xffffffff, best.index, o);
        best.take(value, index);
    }
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = best;
    __syncthreads();
    if (threadIdx.x == 0)
        for (const Best& other : warps)
            best.take(other.value, other.index);
    return best;
}

__global__ void __launch_bounds__(kThreads) argMaxKernel(ArgMax p) {
    const float* row = p.logits + blockIdx.y * p.stride;
    auto* found = reinterpret_cast<Best*>(p.scratch) + blockIdx.y * kBlocks;
    __shared__ bool last;
    Best best;
    for (std::uint32_t i = blockIdx.x * kThreads + threadIdx.x; i < p.columns;
         i += kBlocks * kThreads)
        best.take(row[i], i);
    best = ofBlock(best);
    if (threadIdx.x == 0) {
        found[blockIdx.x] = best;
        __threadfence();
        last = atomicAdd(p.arrived + blockIdx.y, 1) == kBlocks - 1;
    }
    __syncthreads();
    if (!last) return;
    __threadfence();
    Best all;
    if (threadIdx.x < kBlocks) {
        const volatile Best& other = found[threadIdx.x];
        all.take(other.value, other.index);
    }
    __syncthreads(); // the first use of the block's memory is over
    all = ofBlock(all);
    if (threadIdx.x != 0) return;
    p.ids[blockIdx.y] = all.index == 0xFFFFFFFFU ? 0 : all.index;
    p.arrived[blockIdx.y] = 0; // for the next time
}

} // namespace

std::size_t argMaxScratch(std::int64_t rows) {
    return static_cast<std::size_t>(rows) * kBlocks * sizeof(Best);
}

cudaError_t argMax(const ArgMax& p, cudaStream_t s) {
    if (p.rows == 0) return cudaSuccess;
    argMaxKernel<<<dim3(kBlocks, static_cast<unsigned>(p.rows)), kThreads, 0, s>>>(p);
    return cudaGetLastError();
}

} // namespace fkv::cuda
