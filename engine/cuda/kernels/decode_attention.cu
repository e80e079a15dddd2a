// SPDX-License-Identifier: Apache-2.0

// A token's attention in one kernel: rotation, append and the fold of the stretches included, since
// at the length of a compressed cache a launch costs as much as the work. A block has one KV head
// and one stretch of its cache (prefix, then tail). Half a warp reads a key of head size 128 in
// 16-byte loads; the query heads of the group share every load. Keys and values come through a ring
// in shared memory where every thread reads what it asked for itself, so that many are under way
// while some are computed with. The block that is done last of its KV head folds all stretches in
// fixed order.

#include "engine/cuda/kernels/decode_attention_parts.cuh"

namespace fkv::cuda {

namespace {

/// `Plain`: the layer does not slide and no head is normed. The rest is a kernel of its own, since
/// this one has no register to spare.
template <int D, int Heads, bool Plain>
__global__ void __launch_bounds__(kThreads, Heads <= 4 ? 2 : 1) attentionKernel(DecodeAttention p) {
    constexpr int kPerKey = D / kLanes;       // lanes of one key
    constexpr int kKeys = kThreads / kPerKey; // keys a block reads at once
    extern __shared__ __align__(16) unsigned char memory[];
    letNextStart();
    const int split = blockIdx.x, kvHead = blockIdx.y;
    const int slot = threadIdx.x / kPerKey, lane = threadIdx.x % kPerKey;
    const int length = p.cache.prefixLength + p.cache.tailFilled + p.state->generated + 1;
    const Joined joined{p.cache, kvHead, D};
    const bool slides = !Plain && p.cache.slidingWindow > 0;
    const int position = slides ? p.state->position : 0;
    const int from = slides ? joined.begin(position) : 0;
    const int share = (length - from + kDecodeSplits - 1) / kDecodeSplits;
    const int begin = from + split * share, end = min(begin + share, length);
    const ThreadRing ring{reinterpret_cast<Eight*>(memory)};
    const auto row = [&](int head) {
        return *reinterpret_cast<const Eight*>(p.qkv + head * D + lane * kLanes);
    };
    int asked = begin, askedBatch = 0;
    const auto ask = [&] {
        if (asked < end)
#pragma unroll
            for (int u = 0; u < kUnroll; ++u) {
                const int i = min(asked + u * kKeys + slot, end - 1);
                if (i == length - 1) {
                    *ring.at(askedBatch, u) = *ring.newKey();
                    *ring.at(askedBatch, kUnroll + u) = *ring.newValue();
                } else {
                    joined.fetchKey(i, lane, ring.at(askedBatch, u));
                    joined.fetchValue(i, lane, ring.at(askedBatch, kUnroll + u));
                }
            }
        commitFetches();
        asked += kKeys * kUnroll;
        askedBatch = (askedBatch + 1) % kDepth;
    };
    // Only the newest token comes from the kernel in front: other stretches need not wait for it.
    const bool newest = begin < end && end == length;
    if (!newest)
        for (int i = 0; i < kDepth; ++i)
            ask();
    waitForPrevious();
    const Rotation<D> rotation(p, lane);
    if (newest) {
        float key[kLanes];
        widen(row(p.queryHeads + kvHead), key);
        if (!Plain) normHead<D>(p.keyNorm, p.eps, lane, key);
        *ring.newKey() = rotation.turn(key);
        *ring.newValue() = row(p.queryHeads + p.kvHeads + kvHead);
        if (slot == 0) joined.append(length - 1, lane, *ring.newKey(), *ring.newValue());
        for (int i = 0; i < kDepth; ++i)
            ask();
    }
    float query[Heads][kLanes];
#pragma unroll
    for (int h = 0; h < Heads; ++h) {
        widen(row(kvHead * Heads + h), query[h]);
        if (!Plain) normHead<D>(p.queryNorm, p.eps, lane, query[h]);
        widen(rotation.turn(query[h]), query[h]);
#pragma unroll
        for (float& v : query[h])
            v *= p.scale * 1.44269504088896F;
    }
    Part<D, Heads> part;
    int batch = 0;
    for (int at = begin; at < end; at += kKeys * kUnroll) {
        waitForAllBut<kDepth - 1>();
        part.add(query, ring, batch, [&](int u) {
            const int i = at + u * kKeys + slot;
            return i < end && (!slides || joined.inSight(i, length, position));
        });
        batch = (batch + 1) % kDepth;
        ask();
    }
    __syncthreads(); // the ring is free
    foldBlock<D, Heads>(p, part, reinterpret_cast<float*>(memory));
    if (lastOfHead(p.arrived + kvHead)) foldSplits<D, Heads>(p, reinterpret_cast<float*>(memory));
}

template <int D, int Heads, bool Plain>
cudaError_t launch(const DecodeAttention& p, cudaStream_t s) {
    const dim3 grid(kDecodeSplits, static_cast<unsigned>(p.kvHeads));
    const auto kernel = attentionKernel<D, Heads, Plain>;
    static const cudaError_t allowed = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(kRingBytes));
    if (allowed != cudaSuccess) return allowed;
    return launchOverlapping(kernel, {grid, kThreads, kRingBytes, s}, p);
}

template <int D, int Heads>
cudaError_t attend(const DecodeAttention& p, cudaStream_t s) {
    const bool plain = p.cache.slidingWindow == 0 && p.queryNorm == nullptr && p.keyNorm == nullptr;
    return plain ? launch<D, Heads, true>(p, s) : launch<D, Heads, false>(p, s);
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
