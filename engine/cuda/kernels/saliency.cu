// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/kernels/scores.cuh"

#include <algorithm>

namespace fkv::cuda {

namespace {

constexpr int kTokens = 64; ///< of a block, with all KV heads

/// The larger one; NaN wins, so that a bad score stays visible.
__device__ float larger(float a, float b) {
    return (b > a || b != b) ? b : a;
}

__device__ float pooled(const Saliency& p, const float* row, std::int64_t token) {
    const int half = p.kernel / 2;
    float v = p.average ? 0.0F : -INFINITY;
    for (int k = -half; k <= half; ++k) {
        const std::int64_t i = token + k;
        const bool inside = i >= 0 && i < p.tokens;
        if (p.average)
            v += inside ? row[i] : 0.0F;
        else if (inside)
            v = larger(v, row[i]);
    }
    return p.average ? v / static_cast<float>(p.kernel) : v;
}

/// A thread has one token of one KV head; neighbours' taps come from the L1 cache. The sum over
/// heads meets in shared memory and is made in order.
__global__ void saliencyKernel(Saliency p) {
    extern __shared__ float sums[]; // [kvHeads, kTokens]
    const std::int64_t token = blockIdx.x * std::int64_t{kTokens} + threadIdx.x;
    const bool inside = token < p.tokens;
    const int heads = p.queryHeads / p.kvHeads;
    for (int g = threadIdx.y; g < p.kvHeads && inside; g += blockDim.y) {
        float sum = 0.0F; // stays zero before the first candidate
        for (int h = 0; h < heads && token >= p.firstCandidate; ++h) {
            const float v = pooled(p, p.windowSums + (g * heads + h) * p.tokens, token);
            sum = h == 0 ? v : sum + v;
        }
        p.saliency[g * p.tokens + token] = sum;
        sums[g * kTokens + threadIdx.x] = sum;
    }
    __syncthreads();
    if (threadIdx.y != 0 || !inside) return;
    float total = 0.0F;
    for (int g = 0; g < p.kvHeads; ++g)
        total += sums[g * kTokens + threadIdx.x];
    p.total[token] = total;
}

} // namespace

cudaError_t saliency(const Saliency& p, cudaStream_t s) {
    if (p.tokens == 0) return cudaSuccess;
    const dim3 threads(kTokens, static_cast<unsigned>(std::min(p.kvHeads, 16)));
    const auto blocks = static_cast<unsigned>((p.tokens + kTokens - 1) / kTokens);
    const std::size_t bytes = static_cast<std::size_t>(p.kvHeads) * kTokens * sizeof(float);
    saliencyKernel<<<blocks, threads, bytes, s>>>(p);
    return cudaGetLastError();
}

} // namespace fkv::cuda
