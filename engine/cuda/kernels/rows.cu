// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/kernels/rows.cuh"

#include <algorithm>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kLanes = 8; ///< bf16 values of one 16-byte access

struct alignas(16) Eight {
    bf16 v[kLanes];
};

__device__ __forceinline__ Eight load(const bf16* p) {
    return *reinterpret_cast<const Eight*>(p);
}
__device__ __forceinline__ void store(bf16* p, const Eight& e) {
    *reinterpret_cast<Eight*>(p) = e;
}

__global__ void gatherRowsKernel(Rows x, const std::int32_t* index, Rows out) {
    const std::int64_t row = blockIdx.x;
    const bf16* from = x.data + index[row] * x.stride;
    bf16* to = out.data + row * out.stride;
    for (std::int64_t c = threadIdx.x * kLanes; c < out.cols; c += blockDim.x * kLanes)
        store(to + c, load(from + c));
}

/// Sum over the block; every thread gets it.
__device__ float blockSum(float v) {
    __shared__ float parts[32];
    for (int o = 16; o > 0; o /= 2)
        v += __shfl_xor_sync(0xffffffff, v, o);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v;
    __syncthreads();
    float sum = 0.0F;
    for (int i = 0; i < static_cast<int>(blockDim.x) / 32; ++i)
        sum += parts[i];
    return sum;
}

constexpr int kNormThreads = 256;
constexpr int kNormHeld = 4; ///< eights a thread keeps in registers: rows of up to 8192 once read

__global__ void __launch_bounds__(kNormThreads)
    rmsNormKernel(Rows x, const bf16* weight, float eps, Rows out) {
    const std::int64_t row = blockIdx.x;
    const bf16* from = x.data + row * x.stride;
    bf16* to = out.data + row * out.stride;
    Eight held[kNormHeld];
    float sum = 0.0F;
    int n = 0;
    for (std::int64_t c = threadIdx.x * kLanes; c < x.cols; c += kNormThreads * kLanes, ++n) {
        const Eight e = load(from + c);
#pragma unroll
        for (int k = 0; k < kNormHeld; ++k)
            if (k == n) held[k] = e;
#pragma unroll
        for (int i = 0; i < kLanes; ++i) {
            const float v = __bfloat162float(e.v[i]);
            sum += v * v;
        }
    }
    const float scale = rsqrtf(blockSum(sum) / static_cast<float>(x.cols) + eps);
    n = 0;
    for (std::int64_t c = threadIdx.x * kLanes; c < x.cols; c += kNormThreads * kLanes, ++n) {
        Eight e = n < kNormHeld ? held[0] : load(from + c);
#pragma unroll
        for (int k = 1; k < kNormHeld; ++k)
            if (k == n) e = held[k];
        const Eight w = load(weight + c);
#pragma unroll
        for (int i = 0; i < kLanes; ++i)
            e.v[i] = __float2bfloat16(__bfloat162float(e.v[i]) * scale * __bfloat162float(w.v[i]));
        store(to + c, e);
    }
}

__global__ void swigluKernel(Rows gateUp, Rows out) {
    const std::int64_t perRow = out.cols / kLanes;
    const std::int64_t count = out.rows * perRow;
    for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * blockDim.x) {
        const std::int64_t row = i / perRow, c = i % perRow * kLanes;
        Eight g = load(gateUp.data + row * gateUp.stride + c);
        const Eight u = load(gateUp.data + row * gateUp.stride + out.cols + c);
#pragma unroll
        for (int k = 0; k < kLanes; ++k) {
            const float v = __bfloat162float(g.v[k]);
            g.v[k] = __float2bfloat16(v / (1.0F + __expf(-v)) * __bfloat162float(u.v[k]));
        }
        store(out.data + row * out.stride + c, g);
    }
}

/// 1 / sqrt(mean(x^2) + eps) of a head whose eights lie in `lanes` neighbouring threads, all of
/// them here.
__device__ float headScale(const Eight& low, const Eight& high, int lanes, float eps) {
    float sum = 0.0F;
#pragma unroll
    for (int k = 0; k < kLanes; ++k) {
        const float a = __bfloat162float(low.v[k]), b = __bfloat162float(high.v[k]);
        sum += a * a + b * b;
    }
    const unsigned first = threadIdx.x % 32 / lanes * lanes;
    const unsigned mask = (lanes == 32 ? 0xffffffffU : (1U << lanes) - 1U) << first;
    for (int o = lanes / 2; o > 0; o /= 2)
        sum += __shfl_xor_sync(mask, sum, o);
    return rsqrtf(sum / static_cast<float>(2 * kLanes * lanes) + eps);
}

/// One thread an eight of the lower half of a head and its partner in the upper half; value heads
/// are only copied.
__global__ void ropeAppendKernel(RopeAppend p) {
    const std::int64_t half = p.headDim / 2;
    const std::int64_t perHead = half / kLanes;
    const std::int64_t heads = p.queryHeads + 2 * p.kvHeads;
    const std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
    if (i >= p.qkv.rows * heads * perHead) return;
    const std::int64_t row = i / (heads * perHead);
    const std::int64_t head = i / perHead % heads;
    const std::int64_t c = i % perHead * kLanes;
    bf16* at = p.qkv.data + row * p.qkv.stride + head * p.headDim + c;
    Eight low = load(at), high = load(at + half);
    if (head < p.queryHeads + p.kvHeads) {
        const float* cosines = p.cosTable + p.positions[row] * half + c;
        const float* sines = p.sinTable + p.positions[row] * half + c;
        const bf16* norm = head < p.queryHeads ? p.queryNorm : p.keyNorm;
        const float scale =
            norm != nullptr ? headScale(low, high, static_cast<int>(perHead), p.eps) : 1.0F;
#pragma unroll
        for (int k = 0; k < kLanes; ++k) {
            float a = __bfloat162float(low.v[k]), b = __bfloat162float(high.v[k]);
            if (norm != nullptr) {
                a *= scale * __bfloat162float(norm[c + k]);
                b *= scale * __bfloat162float(norm[c + half + k]);
            }
            low.v[k] = __float2bfloat16(a * cosines[k] - b * sines[k]);
            high.v[k] = __float2bfloat16(b * cosines[k] + a * sines[k]);
        }
        store(at, low);
        store(at + half, high);
    }
    if (head < p.queryHeads) return;
    const std::int64_t kvHead = (head - p.queryHeads) % p.kvHeads;
    bf16* cache = head < p.queryHeads + p.kvHeads ? p.keys : p.values;
    bf16* to = cache + (kvHead * p.capacity + p.at + row) * p.headDim + c;
    store(to, low);
    store(to + half, high);
}

/// A group of headDim / 8 threads a token: 16 bytes each of its key and its value.
__global__ void gatherKvKernel(GatherKv p) {
    const int perToken = static_cast<int>(p.headDim) / kLanes;
    const std::int64_t token = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) / perToken;
    const std::int64_t head = blockIdx.y;
    if (token >= p.columns) return;
    const std::uint32_t rank = p.ranks[head * p.rankStride + token];
    if (rank >= p.count) return;
    const std::int64_t c = threadIdx.x % perToken * kLanes;
    const std::int64_t from = (head * p.fromCapacity + token) * p.headDim + c;
    const std::int64_t to = (head * p.outCapacity + rank) * p.headDim + c;
    store(p.outKeys + to, load(p.keys + from));
    store(p.outValues + to, load(p.values + from));
    if (p.positions != nullptr && c == 0)
        p.positions[head * p.positionStride + rank] =
            p.fromPositions == nullptr ? static_cast<std::int32_t>(token) : p.fromPositions[token];
}

unsigned blocksFor(std::int64_t items, int threads) {
    return static_cast<unsigned>((items + threads - 1) / threads);
}

} // namespace

cudaError_t gatherRows(const Rows& x, const std::int32_t* index, const Rows& out, cudaStream_t s) {
    if (out.rows == 0) return cudaSuccess;
    gatherRowsKernel<<<static_cast<unsigned>(out.rows), 256, 0, s>>>(x, index, out);
    return cudaGetLastError();
}

cudaError_t rmsNorm(const Rows& x, const bf16* weight, float eps, const Rows& out, cudaStream_t s) {
    if (x.rows == 0) return cudaSuccess;
    rmsNormKernel<<<static_cast<unsigned>(x.rows), kNormThreads, 0, s>>>(x, weight, eps, out);
    return cudaGetLastError();
}

cudaError_t swiglu(const Rows& gateUp, const Rows& out, cudaStream_t s) {
    if (out.rows == 0) return cudaSuccess;
    const unsigned blocks = std::min(blocksFor(out.rows * out.cols / kLanes, 256), 132U * 32U);
    swigluKernel<<<blocks, 256, 0, s>>>(gateUp, out);
    return cudaGetLastError();
}

cudaError_t ropeAppend(const RopeAppend& p, cudaStream_t s) {
    if (p.qkv.rows == 0) return cudaSuccess;
    if (p.headDim % (2 * kLanes) != 0) return cudaErrorInvalidValue;
    const bool normed = p.queryNorm != nullptr || p.keyNorm != nullptr;
    if (normed && (p.headDim & (p.headDim - 1)) != 0) return cudaErrorInvalidValue;
    const std::int64_t items =
        p.qkv.rows * (p.queryHeads + 2 * p.kvHeads) * (p.headDim / 2 / kLanes);
    ropeAppendKernel<<<blocksFor(items, 256), 256, 0, s>>>(p);
    return cudaGetLastError();
}

cudaError_t gatherKv(const GatherKv& p, cudaStream_t s) {
    if (p.count == 0 || p.columns == 0) return cudaSuccess;
    const std::int64_t items = p.columns * (p.headDim / kLanes);
    const dim3 grid(blocksFor(items, 256), static_cast<unsigned>(p.kvHeads));
    gatherKvKernel<<<grid, 256, 0, s>>>(p);
    return cudaGetLastError();
}

} // namespace fkv::cuda
