// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/kernels/scores.cuh"

#include <bit>
#include <cub/block/block_radix_sort.cuh>
#include <cub/device/device_radix_sort.cuh>

namespace fkv::cuda {

namespace {

constexpr std::size_t kAlign = 256;

std::size_t aligned(std::size_t n) {
    return (n + kAlign - 1) / kAlign * kAlign;
}

/// Ascending keys are descending scores; the same order as the CPU's.
__device__ std::uint32_t keyOf(float score) {
    if (isnan(score)) return 0xFFFFFFFFU;
    const std::uint32_t bits = __float_as_uint(score + 0.0F); // -0 and +0 tie
    return (bits & 0x80000000U) != 0 ? bits : ~(bits | 0x80000000U);
}

// Rows side by side in one sort: one row at a time would use a fraction of the multiprocessors.
__global__ void makeKeys(const float* scores, std::uint64_t* keys, std::uint32_t* order,
                         std::int64_t tokens, std::int64_t count) {
    const std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
    if (i >= count) return;
    keys[i] = static_cast<std::uint64_t>(i / tokens) << 32 | keyOf(scores[i]);
    order[i] = static_cast<std::uint32_t>(i % tokens);
}

__global__ void scatterRanks(const std::uint32_t* order, std::uint32_t* ranks, std::int64_t tokens,
                             std::int64_t count) {
    const std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
    if (i >= count) return;
    ranks[i / tokens * tokens + order[i]] = static_cast<std::uint32_t>(i % tokens);
}

// A short row fits one block, whose sort takes a fourth of the launches below. Stable, so that the
// lower index wins; what fills the block up comes last.
constexpr int kBlockThreads = 1024;

template <int Items>
struct BlockSort {
    using Sort = cub::BlockRadixSort<std::uint32_t, kBlockThreads, Items, std::uint32_t>;
    static constexpr std::int64_t kMost = std::int64_t{kBlockThreads} * Items;
};

template <int Items>
__global__ void __launch_bounds__(kBlockThreads)
    rankRowKernel(const float* scores, std::uint32_t* ranks, int tokens) {
    using Sort = typename BlockSort<Items>::Sort;
    extern __shared__ __align__(16) unsigned char memory[];
    const std::int64_t row = std::int64_t{blockIdx.x} * tokens;
    std::uint32_t keys[Items], order[Items];
#pragma unroll
    for (int i = 0; i < Items; ++i) {
        const int token = static_cast<int>(threadIdx.x) * Items + i;
        keys[i] = token < tokens ? keyOf(scores[row + token]) : 0xFFFFFFFFU;
        order[i] = static_cast<std::uint32_t>(token);
    }
    Sort(*reinterpret_cast<typename Sort::TempStorage*>(memory)).SortBlockedToStriped(keys, order);
#pragma unroll
    for (int i = 0; i < Items; ++i) {
        const int rank = i * kBlockThreads + static_cast<int>(threadIdx.x);
        if (rank < tokens) ranks[row + order[i]] = static_cast<std::uint32_t>(rank);
    }
}

template <int Items>
cudaError_t rankRows(const Ranks& p, cudaStream_t s) {
    constexpr std::size_t kBytes = sizeof(typename BlockSort<Items>::Sort::TempStorage);
    const cudaError_t allowed =
        cudaFuncSetAttribute(rankRowKernel<Items>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(kBytes));
    if (allowed != cudaSuccess) return allowed;
    rankRowKernel<Items><<<static_cast<unsigned>(p.rows), kBlockThreads, kBytes, s>>>(
        p.scores, p.ranks, static_cast<int>(p.tokens));
    return cudaGetLastError();
}

struct Layout {
    std::size_t keys, keysOther, order, orderOther, sort, sortBytes, total;
};

int bitsOf(std::int64_t rows) {
    return 32 + std::bit_width(static_cast<std::uint64_t>(rows - 1));
}

Layout layoutOf(std::int64_t rows, std::int64_t tokens) {
    const auto count = static_cast<std::size_t>(rows * tokens);
    Layout l{};
    std::size_t at = 0;
    const auto place = [&](std::size_t& where, std::size_t bytes) {
        where = at;
        at += aligned(bytes);
    };
    place(l.keys, count * sizeof(std::uint64_t));
    place(l.keysOther, count * sizeof(std::uint64_t));
    place(l.order, count * sizeof(std::uint32_t));
    place(l.orderOther, count * sizeof(std::uint32_t));
    cub::DoubleBuffer<std::uint64_t> keys;
    cub::DoubleBuffer<std::uint32_t> order;
    cub::DeviceRadixSort::SortPairs(nullptr, l.sortBytes, keys, order,
                                    static_cast<std::int64_t>(count), 0, bitsOf(rows));
    place(l.sort, l.sortBytes);
    l.total = at;
    return l;
}

} // namespace

std::size_t ranksScratch(std::int64_t rows, std::int64_t tokens) {
    return rows * tokens == 0 ? 0 : layoutOf(rows, tokens).total;
}

cudaError_t ranks(const Ranks& p, cudaStream_t s) {
    const std::int64_t count = p.rows * p.tokens;
    if (count == 0) return cudaSuccess;
    if (p.tokens <= BlockSort<2>::kMost) return rankRows<2>(p, s);
    if (p.tokens <= BlockSort<8>::kMost) return rankRows<8>(p, s);
    Layout l = layoutOf(p.rows, p.tokens);
    auto* base = static_cast<std::byte*>(p.scratch);
    cub::DoubleBuffer<std::uint64_t> keys(reinterpret_cast<std::uint64_t*>(base + l.keys),
                                          reinterpret_cast<std::uint64_t*>(base + l.keysOther));
    cub::DoubleBuffer<std::uint32_t> order(reinterpret_cast<std::uint32_t*>(base + l.order),
                                           reinterpret_cast<std::uint32_t*>(base + l.orderOther));
    constexpr int kThreads = 256;
    const auto blocks = static_cast<unsigned>((count + kThreads - 1) / kThreads);
    makeKeys<<<blocks, kThreads, 0, s>>>(p.scores, keys.Current(), order.Current(), p.tokens,
                                         count);
    const cudaError_t sorted = cub::DeviceRadixSort::SortPairs(base + l.sort, l.sortBytes, keys,
                                                               order, count, 0, bitsOf(p.rows), s);
    if (sorted != cudaSuccess) return sorted;
    scatterRanks<<<blocks, kThreads, 0, s>>>(order.Current(), p.ranks, p.tokens, count);
    return cudaGetLastError();
}

} // namespace fkv::cuda
