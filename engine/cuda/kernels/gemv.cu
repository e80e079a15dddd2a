// SPDX-License-Identifier: Apache-2.0

// A warp multiplies two rows of the weights (a gate and its up, or two neighbours) with the vector,
// which lies in shared memory, normed there by every block for itself: reading 8 KB again from the
// L2 cache costs less than another launch.

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/kernels/launch.cuh"

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kLanes = 8;  ///< bf16 values of one 16-byte load
constexpr int kUnroll = 4; ///< loads in flight a row

struct alignas(16) Eight {
    __nv_bfloat162 v[4];
};

__device__ __forceinline__ Eight stream(const bf16* p) {
    const int4 raw = __ldcs(reinterpret_cast<const int4*>(p)); // weights are read once
    return reinterpret_cast<const Eight&>(raw);
}

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

__device__ void loadVector(const Gemv& p, bf16* x) {
    __shared__ float parts[kWarps];
    float sum = 0.0F;
    for (int c = threadIdx.x * kLanes; c < p.in; c += kThreads * kLanes) {
        const Eight e = *reinterpret_cast<const Eight*>(p.x + c);
        *reinterpret_cast<Eight*>(x + c) = e;
        if (p.norm != nullptr) sum = dot(e, e, sum);
    }
    if (p.norm == nullptr) {
        __syncthreads();
        return;
    }
    for (int o = 16; o > 0; o /= 2)
        sum += __shfl_xor_sync(0xffffffff, sum, o);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0.0F;
    for (const float part : parts)
        sum += part;
    const float scale = rsqrtf(sum / static_cast<float>(p.in) + p.eps);
    for (int c = threadIdx.x * kLanes; c < p.in; c += kThreads * kLanes)
#pragma unroll
        for (int i = 0; i < kLanes; ++i)
            x[c + i] = __float2bfloat16(__bfloat162float(x[c + i]) * scale *
                                        __bfloat162float(p.norm[c + i]));
    __syncthreads();
}

__device__ float warpSum(float v) {
    for (int o = 16; o > 0; o /= 2)
        v += __shfl_xor_sync(0xffffffff, v, o);
    return v;
}

__device__ void write(const Gemv& p, int first, int second, float a, float b) {
    if (p.bias != nullptr) {
        a += __bfloat162float(p.bias[first]);
        b += __bfloat162float(p.bias[second]);
    }
    auto* out = static_cast<bf16*>(p.out);
    switch (p.kind) {
    case GemvOut::Store:
        out[first] = __float2bfloat16(a);
        out[second] = __float2bfloat16(b);
        break;
    case GemvOut::Add:
        out[first] = __float2bfloat16(__bfloat162float(out[first]) + a);
        out[second] = __float2bfloat16(__bfloat162float(out[second]) + b);
        break;
    case GemvOut::SwiGlu: {
        // The two halves are rounded first, as the unfused ops round them.
        const float gate = __bfloat162float(__float2bfloat16(a));
        const float up = __bfloat162float(__float2bfloat16(b));
        out[first] = __float2bfloat16(gate / (1.0F + __expf(-gate)) * up);
        break;
    }
    case GemvOut::StoreF32:
        static_cast<float*>(p.out)[first] = a;
        static_cast<float*>(p.out)[second] = b;
        break;
    }
}

__global__ void __launch_bounds__(kThreads) gemvKernel(Gemv p) {
    // The next kernel's blocks may come as soon as all of this one's are here; what they ask for
    // before their own wait are weights.
    letNextStart();
    extern __shared__ __align__(16) unsigned char memory[];
    auto* x = reinterpret_cast<bf16*>(memory);
    const int lane = threadIdx.x % 32;
    const int pair = blockIdx.x * kWarps + threadIdx.x / 32;
    const int first = p.kind == GemvOut::SwiGlu ? pair : 2 * pair;
    const int second = p.kind == GemvOut::SwiGlu ? pair + p.rows / 2 : first + 1;
    const bool mine = 2 * pair < p.rows;
    const bf16* rowA =
        p.weight + static_cast<std::int64_t>(mine ? first : 0) * p.in + lane * kLanes;
    const bf16* rowB =
        p.weight + static_cast<std::int64_t>(mine ? second : 0) * p.in + lane * kLanes;
    constexpr int kStep = 32 * kLanes;
    // The first weights do not depend on the vector: ask for them before it is here.
    Eight a[kUnroll], b[kUnroll];
    const int whole = p.in / (kStep * kUnroll);
    if (whole > 0)
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            a[u] = stream(rowA + u * kStep);
            b[u] = stream(rowB + u * kStep);
        }
    waitForPrevious();
    loadVector(p, x);
    if (!mine) return;
    float sumA = 0.0F, sumB = 0.0F;
    const bf16* mineX = x + lane * kLanes;
    for (int i = 0; i < whole; ++i) {
        Eight nextA[kUnroll], nextB[kUnroll];
        if (i + 1 < whole)
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                nextA[u] = stream(rowA + ((i + 1) * kUnroll + u) * kStep);
                nextB[u] = stream(rowB + ((i + 1) * kUnroll + u) * kStep);
            }
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            const Eight v = *reinterpret_cast<const Eight*>(mineX + (i * kUnroll + u) * kStep);
            sumA = dot(a[u], v, sumA);
            sumB = dot(b[u], v, sumB);
            a[u] = nextA[u];
            b[u] = nextB[u];
        }
    }
    for (int c = whole * kUnroll * kStep + lane * kLanes; c < p.in; c += kStep) {
        const Eight v = *reinterpret_cast<const Eight*>(x + c);
        sumA = dot(stream(rowA - lane * kLanes + c), v, sumA);
        sumB = dot(stream(rowB - lane * kLanes + c), v, sumB);
    }
    sumA = warpSum(sumA);
    sumB = warpSum(sumB);
    if (lane == 0) write(p, first, second, sumA, sumB);
}

__global__ void embedStepKernel(const StepState* state, const bf16* table, std::int64_t cols,
                                bf16* x) {
    const bf16* from = table + state->token * cols;
    for (std::int64_t c = threadIdx.x * kLanes; c < cols; c += blockDim.x * kLanes)
        *reinterpret_cast<Eight*>(x + c) = *reinterpret_cast<const Eight*>(from + c);
}

} // namespace

cudaError_t gemv(const Gemv& p, cudaStream_t s) {
    if (p.rows % 2 != 0 || p.in % kLanes != 0 || p.in > kGemvMostIn) return cudaErrorInvalidValue;
    const std::size_t bytes = static_cast<std::size_t>(p.in) * sizeof(bf16);
    if (bytes > 48 * 1024) {
        const cudaError_t set = cudaFuncSetAttribute(
            gemvKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
        if (set != cudaSuccess) return set;
    }
    const dim3 grid(static_cast<unsigned>((p.rows / 2 + kWarps - 1) / kWarps));
    return launchOverlapping(gemvKernel, {grid, kThreads, bytes, s}, p);
}

cudaError_t embedStep(const StepState* state, const bf16* table, std::int64_t cols, bf16* x,
                      cudaStream_t s) {
    embedStepKernel<<<1, kThreads, 0, s>>>(state, table, cols, x);
    return cudaGetLastError();
}

} // namespace fkv::cuda
