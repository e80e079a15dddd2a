// SPDX-License-Identifier: Apache-2.0

// A block has one KV head and one stretch of its cache (prefix, then tail). Half a warp reads a key
// of head size 128 in 16-byte loads; the query heads of the group share every load. Keys and values
// come through a ring in shared memory where every thread reads what it asked for itself, so that
// many are under way while some are computed with. Stretches are folded by a second kernel in fixed
// order.

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/kernels/launch.cuh"

#include <cmath>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kThreads = 256;
constexpr int kLanes = 8;
constexpr int kUnroll = 4; ///< keys (and values) that a half warp asks for together
constexpr int kDepth = 2;  ///< such batches under way
constexpr std::size_t kRingBytes = std::size_t{kDepth} * 2 * kUnroll * kThreads * 16;

struct alignas(16) Eight {
    __nv_bfloat162 v[4];
};

__global__ void ropeAppendStepKernel(DecodeAttention p) {
    letNextStart();
    waitForPrevious();
    const int half = p.headDim / 2;
    const int heads = p.queryHeads + 2 * p.kvHeads;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= heads * half) return;
    const int head = i / half, c = i % half;
    bf16* at = p.qkv + head * p.headDim + c;
    bf16 low = at[0], high = at[half];
    if (head < p.queryHeads + p.kvHeads) {
        const std::int64_t angle = std::int64_t{p.state->position} * half + c;
        const float a = __bfloat162float(low), b = __bfloat162float(high);
        low = __float2bfloat16(a * p.cosTable[angle] - b * p.sinTable[angle]);
        high = __float2bfloat16(b * p.cosTable[angle] + a * p.sinTable[angle]);
        at[0] = low;
        at[half] = high;
    }
    if (head < p.queryHeads) return;
    const int kvHead = (head - p.queryHeads) % p.kvHeads;
    bf16* cache = head < p.queryHeads + p.kvHeads ? p.cache.tailKeys : p.cache.tailValues;
    const std::int64_t token = p.cache.tailFilled + p.state->generated;
    bf16* to = cache + (kvHead * p.cache.tailCapacity + token) * p.headDim + c;
    to[0] = low;
    to[half] = high;
}

/// Running softmax of the group's heads over some keys; D dims over D / 8 lanes.
template <int D, int Heads>
struct Part {
    float highest[Heads], total[Heads], out[Heads][kLanes];
    __device__ Part() {
#pragma unroll
        for (int h = 0; h < Heads; ++h) {
            highest[h] = -INFINITY;
            total[h] = 0.0F;
#pragma unroll
            for (float& v : out[h])
                v = 0.0F;
        }
    }
};

/// Keys and values of token i of the joined cache.
struct Joined {
    const DecodeCacheView& c;
    int kvHead, d;
    __device__ std::int64_t offset(std::int64_t i, bool& tail) const {
        tail = i >= c.prefixLength;
        return tail ? (kvHead * c.tailCapacity + i - c.prefixLength) * d
                    : (kvHead * c.prefixCapacity + i) * d;
    }
    __device__ void fetchKey(std::int64_t i, int lane, Eight* to) const {
        bool tail;
        const std::int64_t at = offset(i, tail) + lane * kLanes;
        fetch(to, (tail ? c.tailKeys : c.prefixKeys) + at);
    }
    __device__ void fetchValue(std::int64_t i, int lane, Eight* to) const {
        bool tail;
        const std::int64_t at = offset(i, tail) + lane * kLanes;
        fetch(to, (tail ? c.tailValues : c.prefixValues) + at);
    }
};

/// The ring of one thread: piece i of a batch lies kThreads behind piece i - 1.
struct ThreadRing {
    Eight* memory;
    __device__ Eight* at(int batch, int piece) const {
        return memory + (batch * 2 * kUnroll + piece) * kThreads + threadIdx.x;
    }
};

template <int D, int Heads>
__global__ void __launch_bounds__(kThreads, Heads <= 4 ? 2 : 1) splitKernel(DecodeAttention p) {
    constexpr int kPerKey = D / kLanes;       // lanes of one key
    constexpr int kKeys = kThreads / kPerKey; // keys a block reads at once
    extern __shared__ __align__(16) unsigned char memory[];
    letNextStart();
    const int split = blockIdx.x, kvHead = blockIdx.y;
    const int slot = threadIdx.x / kPerKey, lane = threadIdx.x % kPerKey;
    const std::int64_t length =
        std::int64_t{p.cache.prefixLength} + p.cache.tailFilled + p.state->generated + 1;
    const std::int64_t share = (length + gridDim.x - 1) / gridDim.x;
    const std::int64_t begin = split * share, end = min(begin + share, length);
    const Joined joined{p.cache, kvHead, D};
    const ThreadRing ring{reinterpret_cast<Eight*>(memory)};
    std::int64_t asked = begin;
    int askedBatch = 0;
    const auto ask = [&] {
        if (asked < end)
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                const std::int64_t i = min(asked + u * kKeys + slot, end - 1);
                joined.fetchKey(i, lane, ring.at(askedBatch, u));
                joined.fetchValue(i, lane, ring.at(askedBatch, kUnroll + u));
            }
        commitFetches();
        asked += kKeys * kUnroll;
        askedBatch = (askedBatch + 1) % kDepth;
    };
    // Only the newest token was written by the kernel in front: other stretches need not wait for
    // it.
    const bool early = end < length;
    if (!early) waitForPrevious();
    for (int i = 0; i < kDepth; ++i)
        ask();
    if (early) waitForPrevious();
    float query[Heads][kLanes];
#pragma unroll
    for (int h = 0; h < Heads; ++h)
#pragma unroll
        for (int k = 0; k < kLanes; ++k)
            query[h][k] = __bfloat162float(p.qkv[(kvHead * Heads + h) * D + lane * kLanes + k]) *
                          p.scale * 1.44269504088896F;
    Part<D, Heads> part;
    int batch = 0;
    for (std::int64_t at = begin; at < end; at += kKeys * kUnroll) {
        waitForAllBut<kDepth - 1>();
        Eight keys[kUnroll], values[kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            keys[u] = *ring.at(batch, u);
            values[u] = *ring.at(batch, kUnroll + u);
        }
        batch = (batch + 1) % kDepth;
        ask();
#pragma unroll
        for (int h = 0; h < Heads; ++h) {
            float score[kUnroll];
            float most = part.highest[h];
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                float s = 0.0F;
#pragma unroll
                for (int k = 0; k < 4; ++k) {
                    const float2 v = __bfloat1622float2(keys[u].v[k]);
                    s = fmaf(v.x, query[h][2 * k], s);
                    s = fmaf(v.y, query[h][2 * k + 1], s);
                }
#pragma unroll
                for (int o = kPerKey / 2; o > 0; o /= 2)
                    s += __shfl_xor_sync(0xffffffff, s, o);
                score[u] = at + u * kKeys + slot < end ? s : -INFINITY;
                most = fmaxf(most, score[u]);
            }
            const float base = most == -INFINITY ? 0.0F : most;
            const float shrink = exp2f(part.highest[h] - base);
            part.highest[h] = most;
            part.total[h] *= shrink;
#pragma unroll
            for (float& v : part.out[h])
                v *= shrink;
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                const float w = exp2f(score[u] - base);
                part.total[h] += w;
#pragma unroll
                for (int k = 0; k < 4; ++k) {
                    const float2 v = __bfloat1622float2(values[u].v[k]);
                    part.out[h][2 * k] = fmaf(w, v.x, part.out[h][2 * k]);
                    part.out[h][2 * k + 1] = fmaf(w, v.y, part.out[h][2 * k + 1]);
                }
            }
        }
    }
    // Slots of the block are folded in order of slot.
    __shared__ float highs[kKeys][Heads], totals[kKeys][Heads], outs[kKeys][D];
    if (lane == 0)
#pragma unroll
        for (int h = 0; h < Heads; ++h) {
            highs[slot][h] = part.highest[h];
            totals[slot][h] = part.total[h];
        }
#pragma unroll
    for (int h = 0; h < Heads; ++h) {
#pragma unroll
        for (int k = 0; k < kLanes; ++k)
            outs[slot][lane * kLanes + k] = part.out[h][k];
        __syncthreads();
        float high = -INFINITY;
        for (int i = 0; i < kKeys; ++i)
            high = fmaxf(high, highs[i][h]);
        const float base = high == -INFINITY ? 0.0F : high;
        const std::int64_t to = (std::int64_t{kvHead * Heads + h} * gridDim.x + split) * (D + 2);
        if (static_cast<int>(threadIdx.x) < D) {
            float sum = 0.0F;
            for (int i = 0; i < kKeys; ++i)
                sum += outs[i][threadIdx.x] * exp2f(highs[i][h] - base);
            p.partial[to + threadIdx.x] = sum;
        }
        if (threadIdx.x == 0) {
            float total = 0.0F;
            for (int i = 0; i < kKeys; ++i)
                total += totals[i][h] * exp2f(highs[i][h] - base);
            p.partial[to + D] = high;
            p.partial[to + D + 1] = total;
        }
        __syncthreads();
    }
}

template <int D>
__global__ void foldKernel(const float* partial, int splits, bf16* out) {
    letNextStart();
    waitForPrevious();
    const float* mine = partial + blockIdx.x * static_cast<std::int64_t>(splits) * (D + 2);
    float high = -INFINITY;
    for (int i = 0; i < splits; ++i)
        high = fmaxf(high, mine[i * (D + 2) + D]);
    float total = 0.0F, sum = 0.0F;
    for (int i = 0; i < splits; ++i) {
        const float w = exp2f(mine[i * (D + 2) + D] - high);
        total += mine[i * (D + 2) + D + 1] * w;
        sum += mine[i * (D + 2) + threadIdx.x] * w;
    }
    out[blockIdx.x * D + threadIdx.x] = __float2bfloat16(sum / total);
}

template <int D, int Heads>
cudaError_t attend(const DecodeAttention& p, cudaStream_t s) {
    const dim3 grid(kDecodeSplits, static_cast<unsigned>(p.kvHeads));
    static const cudaError_t allowed =
        cudaFuncSetAttribute(splitKernel<D, Heads>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(kRingBytes));
    if (allowed != cudaSuccess) return allowed;
    const cudaError_t e =
        launchOverlapping(splitKernel<D, Heads>, {grid, kThreads, kRingBytes, s}, p);
    if (e != cudaSuccess) return e;
    return launchOverlapping(foldKernel<D>, {dim3(static_cast<unsigned>(p.queryHeads)), D, 0, s},
                             static_cast<const float*>(p.partial), kDecodeSplits, p.out);
}

template <int D>
cudaError_t attendHeads(const DecodeAttention& p, cudaStream_t s) {
    switch (p.queryHeads / p.kvHeads) {
    case 1:
        return attend<D, 1>(p, s);
    case 2:
        return attend<D, 2>(p, s);
    case 3:
        return attend<D, 3>(p, s);
    case 4:
        return attend<D, 4>(p, s);
    case 5:
        return attend<D, 5>(p, s);
    case 6:
        return attend<D, 6>(p, s);
    case 7:
        return attend<D, 7>(p, s);
    case 8:
        return attend<D, 8>(p, s);
    default:
        return cudaErrorInvalidValue;
    }
}

} // namespace

std::int64_t decodePartialFloats(int queryHeads, int headDim) {
    return std::int64_t{queryHeads} * kDecodeSplits * (headDim + 2);
}

cudaError_t ropeAppendStep(const DecodeAttention& p, cudaStream_t s) {
    const int items = (p.queryHeads + 2 * p.kvHeads) * p.headDim / 2;
    return launchOverlapping(ropeAppendStepKernel,
                             {dim3(static_cast<unsigned>((items + 255) / 256)), 256, 0, s}, p);
}

cudaError_t decodeAttention(const DecodeAttention& p, cudaStream_t s) {
    switch (p.headDim) {
    case 32:
        return attendHeads<32>(p, s);
    case 64:
        return attendHeads<64>(p, s);
    case 128:
        return attendHeads<128>(p, s);
    default:
        return cudaErrorInvalidValue;
    }
}

} // namespace fkv::cuda
