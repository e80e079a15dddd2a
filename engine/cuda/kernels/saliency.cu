// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/kernels/scores.cuh"

namespace fkv::cuda {

namespace {

constexpr int kThreads = 256;

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

/// A thread has one token and goes through all heads: neighbours' taps come from the L1 cache.
__global__ void saliencyKernel(Saliency p) {
    const std::int64_t token = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
    if (token >= p.tokens) return;
    if (token < p.firstCandidate) {
        for (int g = 0; g < p.kvHeads; ++g)
            p.saliency[g * p.tokens + token] = 0.0F;
        p.total[token] = 0.0F;
        return;
    }
    const int heads = p.queryHeads / p.kvHeads;
    float total = 0.0F;
    for (int g = 0; g < p.kvHeads; ++g) {
        float sum = 0.0F;
        for (int h = 0; h < heads; ++h) {
            const float v = pooled(p, p.windowSums + (g * heads + h) * p.tokens, token);
            sum = h == 0 ? v : sum + v;
        }
        p.saliency[g * p.tokens + token] = sum;
        total += sum;
    }
    p.total[token] = total;
}

} // namespace

cudaError_t saliency(const Saliency& p, cudaStream_t s) {
    if (p.tokens == 0) return cudaSuccess;
    saliencyKernel<<<static_cast<unsigned>((p.tokens + kThreads - 1) / kThreads), kThreads, 0, s>>>(
        p);
    return cudaGetLastError();
}

} // namespace fkv::cuda
