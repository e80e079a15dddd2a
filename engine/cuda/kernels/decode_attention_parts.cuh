// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parts of decode_attention.cu: what a lane holds, and how lanes, warps and stretches are
// folded. Included there alone.

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/kernels/launch.cuh"

#include <cmath>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kThreads = 256;
constexpr int kLanes = 8;  ///< bf16 values of one 16-byte load
constexpr int kUnroll = 4; ///< keys (and values) that a half warp asks for together
constexpr int kDepth = 2;  ///< such batches under way
constexpr std::size_t kRingBytes = (std::size_t{kDepth} * 2 * kUnroll + 2) * kThreads * 16;

struct alignas(16) Eight {
    __nv_bfloat162 v[4];
};

__device__ void widen(const Eight& e, float (&to)[kLanes]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) {
        const float2 v = __bfloat1622float2(e.v[k]);
        to[2 * k] = v.x;
        to[2 * k + 1] = v.y;
    }
}

__device__ Eight narrow(const float (&from)[kLanes]) {
    Eight e;
#pragma unroll
    for (int k = 0; k < 4; ++k)
        e.v[k] = __floats2bfloat162_rn(from[2 * k], from[2 * k + 1]);
    return e;
}

/// Cosines and sines of the eight dims of a lane at the step's position. The rotation's other half
/// lies half a row away, in the lane that many lanes away.
template <int D>
struct Rotation {
    static constexpr int kHalfLanes = D / kLanes / 2;
    float cosine[kLanes], sine[kLanes];

    __device__ Rotation(const DecodeAttention& p, int lane) {
        const std::int64_t at =
            std::int64_t{p.state->position} * (D / 2) + lane % kHalfLanes * kLanes;
        // Out = own * cosine + other * sine, with the sign in the sine.
        const float sign = lane < kHalfLanes ? -1.0F : 1.0F;
#pragma unroll
        for (int k = 0; k < kLanes; k += 4) {
            const float4 c = *reinterpret_cast<const float4*>(p.cosTable + at + k);
            const float4 s = *reinterpret_cast<const float4*>(p.sinTable + at + k);
            cosine[k] = c.x, cosine[k + 1] = c.y, cosine[k + 2] = c.z, cosine[k + 3] = c.w;
            sine[k] = sign * s.x, sine[k + 1] = sign * s.y;
            sine[k + 2] = sign * s.z, sine[k + 3] = sign * s.w;
        }
    }
    /// Rounded as the cache holds it. All lanes of a warp together.
    __device__ Eight turn(const float (&v)[kLanes]) const {
        float out[kLanes];
#pragma unroll
        for (int k = 0; k < kLanes; ++k)
            out[k] = v[k] * cosine[k] + __shfl_xor_sync(0xffffffff, v[k], kHalfLanes) * sine[k];
        return narrow(out);
    }
};

/// A head's eight dims of a lane over the root of the mean square of all D, times the weights; as
/// it is without weights. All lanes of a warp together.
template <int D>
__device__ void normHead(const bf16* weights, float eps, int lane, float (&v)[kLanes]) {
    if (weights == nullptr) return;
    float sum = 0.0F;
#pragma unroll
    for (const float x : v)
        sum = fmaf(x, x, sum);
#pragma unroll
    for (int o = D / kLanes / 2; o > 0; o /= 2)
        sum += __shfl_xor_sync(0xffffffff, sum, o);
    const float scale = rsqrtf(sum / static_cast<float>(D) + eps);
    float weight[kLanes];
    widen(*reinterpret_cast<const Eight*>(weights + lane * kLanes), weight);
#pragma unroll
    for (int k = 0; k < kLanes; ++k)
        v[k] *= scale * weight[k];
}

/// The ring of one thread: piece i of a batch lies kThreads behind piece i - 1. Behind the ring
/// there is room for one more key and value, those of the newest token.
struct ThreadRing {
    Eight* memory;
    __device__ Eight* at(int batch, int piece) const {
        return memory + (batch * 2 * kUnroll + piece) * kThreads + threadIdx.x;
    }
    __device__ Eight* newKey() const { return at(kDepth, 0); }
    __device__ Eight* newValue() const { return at(kDepth, 1); }
};

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

    /// The batch's keys and values of this slot, of which seen(u) says which count.
    template <class Seen>
    __device__ void add(const float (&query)[Heads][kLanes], const ThreadRing& ring, int batch,
                        const Seen& seen) {
        constexpr int kPerKey = D / kLanes;
        float weight[Heads][kUnroll];
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            float key[kLanes];
            widen(*ring.at(batch, u), key);
#pragma unroll
            for (int h = 0; h < Heads; ++h) {
                float s = 0.0F;
#pragma unroll
                for (int k = 0; k < kLanes; ++k)
                    s = fmaf(key[k], query[h][k], s);
#pragma unroll
                for (int o = kPerKey / 2; o > 0; o /= 2)
                    s += __shfl_xor_sync(0xffffffff, s, o);
                weight[h][u] = seen(u) ? s : -INFINITY;
            }
        }
#pragma unroll
        for (int h = 0; h < Heads; ++h) {
            float most = highest[h];
#pragma unroll
            for (const float s : weight[h])
                most = fmaxf(most, s);
            const float base = most == -INFINITY ? 0.0F : most;
            const float shrink = exp2f(highest[h] - base);
            highest[h] = most;
            total[h] *= shrink;
#pragma unroll
            for (float& v : out[h])
                v *= shrink;
#pragma unroll
            for (float& w : weight[h]) {
                w = exp2f(w - base);
                total[h] += w;
            }
        }
#pragma unroll
        for (int u = 0; u < kUnroll; ++u) {
            float value[kLanes];
            widen(*ring.at(batch, kUnroll + u), value);
#pragma unroll
            for (int h = 0; h < Heads; ++h)
#pragma unroll
                for (int k = 0; k < kLanes; ++k)
                    out[h][k] = fmaf(weight[h][u], value[k], out[h][k]);
        }
    }
};

/// Keys and values of token i of the joined cache, its newest token from registers.
struct Joined {
    const DecodeCacheView& c;
    int kvHead, d;
    __device__ std::int64_t offset(std::int64_t i, bool& tail) const {
        tail = i >= c.prefixLength;
        return tail ? (kvHead * c.tailCapacity + i - c.prefixLength) * d
                    : (kvHead * c.prefixCapacity + i) * d;
    }
    /// Of a layer that slides: place from which on a token at `position` may see anything.
    __device__ int begin(int position) const {
        return c.prefixPositions != nullptr
                   ? 0
                   : max(0, min(position - c.slidingWindow + 1, c.prefixLength));
    }
    /// Is token i of `length` in sight of the newest one, which is at `position`?
    __device__ bool inSight(int i, int length, int position) const {
        int stood = position - (length - 1 - i);
        if (i < c.prefixLength)
            stood =
                c.prefixPositions == nullptr ? i : c.prefixPositions[kvHead * c.positionStride + i];
        return stood > position - c.slidingWindow;
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
    __device__ void append(std::int64_t i, int lane, const Eight& key, const Eight& value) const {
        const std::int64_t at = (kvHead * c.tailCapacity + i - c.prefixLength) * d + lane * kLanes;
        *reinterpret_cast<Eight*>(c.tailKeys + at) = key;
        *reinterpret_cast<Eight*>(c.tailValues + at) = value;
    }
};

/// Where the sums of a stretch of a head lie: D of them, then highest and total.
template <int D>
__device__ float* partialOf(const DecodeAttention& p, int head, int split) {
    return p.partial + (std::int64_t{head} * kDecodeSplits + split) * (D + 2);
}

/// The block's slots: those of a warp by shuffles, then the warps in order.
template <int D, int Heads>
__device__ void foldBlock(const DecodeAttention& p, Part<D, Heads>& part, float* memory) {
    constexpr int kPerKey = D / kLanes, kWarps = kThreads / 32;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    float* outs = memory;                     // [kWarps][Heads][D]
    float* highs = outs + kWarps * Heads * D; // [kWarps][Heads]
    float* totals = highs + kWarps * Heads;
#pragma unroll
    for (int h = 0; h < Heads; ++h) {
        float high = part.highest[h];
#pragma unroll
        for (int o = kPerKey; o < 32; o *= 2)
            high = fmaxf(high, __shfl_xor_sync(0xffffffff, high, o));
        const float weight = high == -INFINITY ? 0.0F : exp2f(part.highest[h] - high);
        float total = part.total[h] * weight;
#pragma unroll
        for (float& v : part.out[h])
            v *= weight;
#pragma unroll
        for (int o = kPerKey; o < 32; o *= 2) {
            total += __shfl_xor_sync(0xffffffff, total, o);
#pragma unroll
            for (float& v : part.out[h])
                v += __shfl_xor_sync(0xffffffff, v, o);
        }
        if (lane < kPerKey)
#pragma unroll
            for (int k = 0; k < kLanes; ++k)
                outs[(warp * Heads + h) * D + lane * kLanes + k] = part.out[h][k];
        if (lane == 0) {
            highs[warp * Heads + h] = high;
            totals[warp * Heads + h] = total;
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < Heads * D; i += kThreads) {
        const int h = i / D, c = i % D;
        float high = -INFINITY;
        for (int w = 0; w < kWarps; ++w)
            high = fmaxf(high, highs[w * Heads + h]);
        float sum = 0.0F, total = 0.0F;
        for (int w = 0; w < kWarps && high > -INFINITY; ++w) {
            const float weight = exp2f(highs[w * Heads + h] - high);
            sum += outs[(w * Heads + h) * D + c] * weight;
            total += totals[w * Heads + h] * weight;
        }
        float* to = partialOf<D>(p, blockIdx.y * Heads + h, blockIdx.x);
        to[c] = sum;
        if (c == 0) {
            to[D] = high;
            to[D + 1] = total;
        }
    }
}

/// True in the block that is the last of its KV head to come here; it sees what the others wrote.
__device__ bool lastOfHead(unsigned* arrived) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        last = atomicAdd(arrived, 1) == gridDim.x - 1;
        if (last) *arrived = 0; // for the next step
    }
    __syncthreads();
    if (last) __threadfence();
    return last;
}

/// All stretches of the group's heads, in order. A warp has the weights of a head.
template <int D, int Heads>
__device__ void foldSplits(const DecodeAttention& p, float* weights) {
    static_assert(kDecodeSplits == 32 && Heads <= kThreads / 32);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int first = blockIdx.y * Heads;
    if (warp < Heads) {
        const float* part = partialOf<D>(p, first + warp, lane);
        const float own = __ldcg(part + D);
        float high = own, total = __ldcg(part + D + 1);
        for (int o = 16; o > 0; o /= 2)
            high = fmaxf(high, __shfl_xor_sync(0xffffffff, high, o));
        const float weight = exp2f(own - high);
        total *= weight;
        for (int o = 16; o > 0; o /= 2)
            total += __shfl_xor_sync(0xffffffff, total, o);
        weights[warp * 32 + lane] = weight / total;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < Heads * D; i += kThreads) {
        const int h = i / D, c = i % D;
        float sum = 0.0F;
#pragma unroll
        for (int split = 0; split < kDecodeSplits; ++split)
            sum += __ldcg(partialOf<D>(p, first + h, split) + c) * weights[h * 32 + split];
        p.out[(first + h) * D + c] = __float2bfloat16(sum);
    }
}

} // namespace

} // namespace fkv::cuda
