// SPDX-License-Identifier: Apache-2.0

// A token's attention in one kernel: norms, rotation, append and the fold of the stretches
// included, since at the length of a compressed cache a launch costs as much as the work. A block
// has one KV head and one stretch of its cache (prefix, then tail). Its warps take tiles of 16 keys
// in turn, each through a ring of its own, and multiply them with all query heads of the group on
// tensor cores: the bytes of the cache are what should take the time. The block that is done last
// of its KV head folds all stretches in fixed order.

#include "engine/cuda/kernels/decode_attention_parts.cuh"

namespace fkv::cuda {

namespace {

/// Queries of the group, and the key and value of the newest token where `newest` says so: normed,
/// rotated, rounded as the cache holds them; the new ones appended too.
template <int D, int Heads>
__device__ void prepare(const DecodeAttention& p, const Joined& joined, const Shared<D>& shared,
                        bool newest, int length) {
    constexpr int kPieces = D / kLanes, kRows = kThreads / kPieces; // rows at once
    const int piece = threadIdx.x % kPieces, kvHead = blockIdx.y;
    const Rotation<D> rotation(p, piece);
    const auto row = [&](int head) {
        return *reinterpret_cast<const Eight*>(p.qkv + head * D + piece * kLanes);
    };
    // All lanes of a warp take part, also those that have no row.
    for (int r = threadIdx.x / kPieces; r < (Heads + kRows) / kRows * kRows; r += kRows) {
        const bool key = r >= Heads;
        float values[kLanes];
        widen(row(key ? p.queryHeads + kvHead : kvHead * Heads + r), values);
        normHead<D>(key ? p.keyNorm : p.queryNorm, p.eps, piece, values);
        const Eight turned = rotation.turn(values);
        if (!key) shared.query(r)[piece] = turned;
        if (r != Heads || !newest) continue;
        const Eight value = row(p.queryHeads + p.kvHeads + kvHead);
        shared.newKey()[piece] = turned;
        shared.newValue()[piece] = value;
        joined.append(length - 1, piece, turned, value);
    }
    for (int i = threadIdx.x; i < (kGroup - Heads) * kPieces; i += kThreads)
        shared.query(Heads)[i] = Eight{};
    __syncthreads();
}

template <int D, int Heads>
__global__ void __launch_bounds__(kThreads, 2) attentionKernel(DecodeAttention p) {
    constexpr int kPieces = D / kLanes;
    extern __shared__ __align__(128) unsigned char memory[];
    letNextStart();
    const int split = blockIdx.x, kvHead = blockIdx.y;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int length = p.cache.prefixLength + p.cache.tailFilled + p.state->generated + 1;
    const Joined joined{p.cache, kvHead, D};
    const bool slides = p.cache.slidingWindow > 0;
    const int position = slides ? p.state->position : 0;
    const int from = slides ? joined.begin(position) : 0;
    const int share = (length - from + kDecodeSplits - 1) / kDecodeSplits;
    const int begin = from + split * share, end = min(begin + share, length);
    const Shared<D> shared{memory};
    // Only the newest token comes from the kernel in front: other stretches need not wait for it.
    const bool newest = begin < end && end == length;
    int asked = begin + warp * kTile, askedSlot = 0;
    const auto ask = [&] {
        for (int i = lane; i < kTile * kPieces && asked < end; i += 32) {
            const int row = i / kPieces, piece = i % kPieces, token = asked + row;
            Eight* key = shared.at(warp, askedSlot, 0, row, piece);
            Eight* value = shared.at(warp, askedSlot, 1, row, piece);
            if (newest && token == length - 1) {
                *key = shared.newKey()[piece];
                *value = shared.newValue()[piece];
            } else {
                joined.fetchPiece(token, piece, token < end, key, value);
            }
        }
        commitFetches();
        asked += kWarps * kTile;
        askedSlot = askedSlot + 1 == kDepth ? 0 : askedSlot + 1;
    };
    for (int i = 0; i < kDepth && !newest; ++i)
        ask();
    waitForPrevious();
    prepare<D, Heads>(p, joined, shared, newest, length);
    for (int i = 0; i < kDepth && newest; ++i)
        ask();
    Part<D> part;
    part.loadQuery(shared);
    int slot = 0;
    for (int at = begin + warp * kTile; at < end; at += kWarps * kTile) {
        waitForAllBut<kDepth - 1>();
        __syncwarp(); // other lanes' pieces are here as well
        part.add(shared, slot, p.scale * 1.44269504088896F, [&](int key) {
            const int i = at + key;
            return i < end && (!slides || joined.inSight(i, length, position));
        });
        __syncwarp(); // and may be written again
        slot = slot + 1 == kDepth ? 0 : slot + 1;
        ask();
    }
    __syncthreads(); // the rings are free
    foldBlock<D, Heads>(p, part, reinterpret_cast<float*>(memory));
    if (lastOfHead(p.arrived + kvHead)) foldSplits<D, Heads>(p, reinterpret_cast<float*>(memory));
}

template <int D, int Heads>
cudaError_t attend(const DecodeAttention& p, cudaStream_t s) {
    const dim3 grid(kDecodeSplits, static_cast<unsigned>(p.kvHeads));
    const auto kernel = attentionKernel<D, Heads>;
    const cudaError_t allowed = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(Shared<D>::kBytes));
    if (allowed != cudaSuccess) return allowed;
    return launchOverlapping(kernel, {grid, kThreads, Shared<D>::kBytes, s}, p);
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
