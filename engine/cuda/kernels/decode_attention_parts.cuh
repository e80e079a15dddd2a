// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parts of decode_attention.cu: what a lane holds, and how lanes, warps and stretches are
// folded. Included there alone.

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/kernels/launch.cuh"
#include "engine/cuda/kernels/tensor_core.cuh"

#include <cmath>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kTile = 16; ///< keys that a warp takes at once
constexpr int kDepth = 3; ///< tiles of a warp under way
constexpr int kGroup = 8; ///< most query heads of a KV head: the rows of a product that are used

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

/// Shared memory: a ring of tiles for every warp, the group's queries, the newest key and value.
template <int D>
struct Shared {
    static constexpr int kPieces = D / kLanes; ///< of a row
    static constexpr int kTileBytes = kTile * D * 2;
    static constexpr std::size_t kBytes =
        std::size_t{kWarps} * kDepth * 2 * kTileBytes + (kGroup + 2) * D * 2;
    unsigned char* memory;

    /// Piece `piece` of row `row`, where rows that are read together fall into different banks.
    __device__ Eight* at(int warp, int slot, int values, int row, int piece) const {
        const int turn = D >= 64 ? row % 8 : row / 2 % 4;
        unsigned char* tile = memory + ((warp * kDepth + slot) * 2 + values) * kTileBytes;
        return reinterpret_cast<Eight*>(tile) + row * kPieces + (piece ^ turn);
    }
    __device__ Eight* rows() const {
        return reinterpret_cast<Eight*>(memory + kWarps * kDepth * 2 * kTileBytes);
    }
    __device__ Eight* query(int head) const { return rows() + head * kPieces; }
    __device__ Eight* newKey() const { return rows() + kGroup * kPieces; }
    __device__ Eight* newValue() const { return newKey() + kPieces; }
};

/// A warp's running softmax. A lane has head lane / 4 and, of its sums, dims lane % 4 * 2 and the
/// next of every eight. The other eight rows of a product are zeros.
template <int D>
struct Part {
    float highest = -INFINITY, total = 0.0F;
    float out[D / 8][4] = {};
    std::uint32_t query[D / 16][4] = {};

    __device__ void loadQuery(const Shared<D>& shared) {
        const int lane = threadIdx.x % 32;
        const auto* row = reinterpret_cast<const std::uint32_t*>(shared.query(lane / 4));
#pragma unroll
        for (int k = 0; k < D / 16; ++k) {
            query[k][0] = row[k * 8 + lane % 4];
            query[k][2] = row[k * 8 + lane % 4 + 4];
        }
    }

    /// One tile, of whose keys seen(key) says which count.
    template <class Seen>
    __device__ void add(const Shared<D>& shared, int slot, float scale, const Seen& seen) {
        const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
        const int matrix = lane / 8, row = lane % 8;
        float score[2][4] = {};
#pragma unroll
        for (int k = 0; k < D / 16; ++k) {
            std::uint32_t keys[4];
            loadMatrix(keys, shared.at(warp, slot, 0, matrix / 2 * 8 + row, 2 * k + matrix % 2));
            multiply(score[0], query[k], keys[0], keys[1]);
            multiply(score[1], query[k], keys[2], keys[3]);
        }
        float most = highest;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            float& s = score[i / 2][i % 2];
            s = seen(i / 2 * 8 + lane % 4 * 2 + i % 2) ? s * scale : -INFINITY;
            most = fmaxf(most, s);
        }
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
        most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
        const float base = most == -INFINITY ? 0.0F : most;
        const float shrink = exp2f(highest - base);
        highest = most;
        total *= shrink;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            float& s = score[i / 2][i % 2];
            s = exp2f(s - base);
            total += s;
        }
        const std::uint32_t weights[4] = {pack(score[0][0], score[0][1]), 0,
                                          pack(score[1][0], score[1][1]), 0};
#pragma unroll
        for (int d = 0; d < D / 16; ++d) {
            std::uint32_t values[4];
            loadMatrixTransposed(
                values, shared.at(warp, slot, 1, matrix % 2 * 8 + row, 2 * d + matrix / 2));
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                float(&sums)[4] = out[2 * d + i];
                sums[0] *= shrink;
                sums[1] *= shrink;
                multiply(sums, weights, values[2 * i], values[2 * i + 1]);
            }
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
    /// A piece of a key or of a value; zeros where the token is not `wanted`.
    __device__ void fetchPiece(std::int64_t i, int piece, bool wanted, Eight* key,
                               Eight* value) const {
        bool tail;
        const std::int64_t at = offset(wanted ? i : 0, tail) + piece * kLanes;
        fetch(key, (tail ? c.tailKeys : c.prefixKeys) + at, wanted);
        fetch(value, (tail ? c.tailValues : c.prefixValues) + at, wanted);
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

/// The block's warps in order.
template <int D, int Heads>
__device__ void foldBlock(const DecodeAttention& p, Part<D>& part, float* memory) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, head = lane / 4;
    float* outs = memory;                     // [kWarps][Heads][D]
    float* highs = outs + kWarps * Heads * D; // [kWarps][Heads]
    float* totals = highs + kWarps * Heads;
    float total = part.total;
    total += __shfl_xor_sync(0xffffffff, total, 1);
    total += __shfl_xor_sync(0xffffffff, total, 2);
    if (head < Heads) {
#pragma unroll
        for (int d = 0; d < D / 8; ++d)
#pragma unroll
            for (int i = 0; i < 2; ++i)
                outs[(warp * Heads + head) * D + d * 8 + lane % 4 * 2 + i] = part.out[d][i];
        highs[warp * Heads + head] = part.highest;
        totals[warp * Heads + head] = total;
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
    static_assert(kDecodeSplits == 32 && Heads <= kGroup);
    const int lane = threadIdx.x % 32;
    const int first = blockIdx.y * Heads;
    for (int h = threadIdx.x / 32; h < Heads; h += kWarps) {
        const float* part = partialOf<D>(p, first + h, lane);
        const float own = __ldcg(part + D);
        float high = own, total = __ldcg(part + D + 1);
        for (int o = 16; o > 0; o /= 2)
            high = fmaxf(high, __shfl_xor_sync(0xffffffff, high, o));
        const float weight = exp2f(own - high);
        total *= weight;
        for (int o = 16; o > 0; o /= 2)
            total += __shfl_xor_sync(0xffffffff, total, o);
        weights[h * 32 + lane] = weight / total;
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
