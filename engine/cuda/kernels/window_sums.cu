// SPDX-License-Identifier: Apache-2.0

// Keys are read once: a block multiplies a tile of one KV head's keys with the window's queries of
// the whole group (no expanded keys), keeps the logits in scratch and the softmax' maximum and sum
// of the tile. A second kernel folds the tiles' maxima and sums, a third adds up probabilities.

#include "engine/cuda/kernels/scores.cuh"

#include <algorithm>
#include <cmath>
#include <mma.h>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kTile = 128; ///< keys of a block
constexpr int kThreads = 256;
constexpr int kRowStep = 16; ///< query rows of one product

int paddedRows(const WindowSums& p) {
    const int rows = p.window * (p.queryHeads / p.kvHeads);
    return (rows + kRowStep - 1) / kRowStep * kRowStep;
}

struct Scratch {
    float* logits;  ///< [G, rows, S]
    float* highest; ///< [G, rows, tiles]
    float* total;   ///< [G, rows, tiles]
    float* shift;   ///< [G, rows]: maximum
    float* inverse; ///< [G, rows]: 1 / sum
};

__host__ __device__ std::int64_t tilesOf(std::int64_t length) {
    return (length + kTile - 1) / kTile;
}

Scratch layoutOf(const WindowSums& p) {
    const std::int64_t rows = std::int64_t{p.window} * p.queryHeads;
    auto* base = static_cast<float*>(p.scratch);
    Scratch s{};
    s.logits = base;
    s.highest = s.logits + rows * p.length;
    s.total = s.highest + rows * tilesOf(p.length);
    s.shift = s.total + rows * tilesOf(p.length);
    s.inverse = s.shift + rows;
    return s;
}

/// Row r of a group is window row r / g of its query head r % g.
__global__ void __launch_bounds__(kThreads) logitsKernel(WindowSums p, Scratch s, int padded) {
    using namespace nvcuda;
    extern __shared__ __align__(128) unsigned char memory[];
    const int d = p.headDim, pitch = d + 8;
    auto* queries = reinterpret_cast<bf16*>(memory);             // [padded, pitch]
    auto* keys = queries + padded * pitch;                       // [kTile, pitch]
    auto* tile = reinterpret_cast<float*>(keys + kTile * pitch); // [kRowStep, kTile + 4]
    constexpr int tilePitch = kTile + 4;
    const int group = blockIdx.y;
    const int heads = p.queryHeads / p.kvHeads;
    const int rows = p.window * heads;
    const std::int64_t first = blockIdx.x * std::int64_t{kTile};
    const std::int64_t tiles = tilesOf(p.length);
    if (first + kTile <= p.first(0)) {
        // No row sees anything here, and nothing is read of the logits.
        for (int row = threadIdx.x; row < rows; row += kThreads) {
            const std::int64_t at = (group * std::int64_t{rows} + row) * tiles + blockIdx.x;
            s.highest[at] = -INFINITY;
            s.total[at] = 0.0F;
        }
        return;
    }
    const int perRow = d / 8;
    for (int i = threadIdx.x; i < padded * perRow; i += kThreads) {
        const int r = i / perRow, c = i % perRow * 8;
        uint4 v = make_uint4(0, 0, 0, 0);
        if (r < rows)
            v = *reinterpret_cast<const uint4*>(p.queries + r / heads * p.queryStride +
                                                (group * heads + r % heads) * d + c);
        *reinterpret_cast<uint4*>(queries + r * pitch + c) = v;
    }
    const bf16* from = p.keys + (group * p.capacity + first) * d;
    for (int i = threadIdx.x; i < kTile * perRow; i += kThreads) {
        const int r = i / perRow, c = i % perRow * 8;
        uint4 v = make_uint4(0, 0, 0, 0);
        if (first + r < p.length) v = *reinterpret_cast<const uint4*>(from + r * d + c);
        *reinterpret_cast<uint4*>(keys + r * pitch + c) = v;
    }
    __syncthreads();

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int step = 0; step < padded; step += kRowStep) {
        // A warp has 16 keys of the tile.
        wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
        wmma::fill_fragment(sum, 0.0F);
        for (int k = 0; k < d; k += 16) {
            wmma::fragment<wmma::matrix_a, 16, 16, 16, bf16, wmma::row_major> a;
            wmma::fragment<wmma::matrix_b, 16, 16, 16, bf16, wmma::col_major> b;
            wmma::load_matrix_sync(a, queries + step * pitch + k, pitch);
            wmma::load_matrix_sync(b, keys + warp * 16 * pitch + k, pitch);
            wmma::mma_sync(sum, a, b, sum);
        }
        wmma::store_matrix_sync(tile + warp * 16, sum, tilePitch, wmma::mem_row_major);
        __syncthreads();
        // A warp now has two rows.
        for (int r = warp * 2; r < warp * 2 + 2; ++r) {
            const int row = step + r;
            if (row >= rows) break;
            const std::int64_t seen = p.length - p.window + row / heads + 1 - first;
            const std::int64_t hidden = p.first(row / heads) - first;
            float highest = -INFINITY, v[kTile / 32];
            float* logits = s.logits + (group * std::int64_t{rows} + row) * p.length + first;
#pragma unroll
            for (int j = 0; j < kTile / 32; ++j) {
                const int key = j * 32 + lane;
                v[j] =
                    key < seen && key >= hidden ? tile[r * tilePitch + key] * p.scale : -INFINITY;
                highest = fmaxf(highest, v[j]);
                if (first + key < p.length) logits[key] = v[j];
            }
            for (int o = 16; o > 0; o /= 2)
                highest = fmaxf(highest, __shfl_xor_sync(0xffffffff, highest, o));
            float total = 0.0F;
#pragma unroll
            for (int j = 0; j < kTile / 32; ++j)
                total += highest == -INFINITY ? 0.0F : __expf(v[j] - highest);
            for (int o = 16; o > 0; o /= 2)
                total += __shfl_xor_sync(0xffffffff, total, o);
            if (lane == 0) {
                const std::int64_t at = (group * std::int64_t{rows} + row) * tiles + blockIdx.x;
                s.highest[at] = highest;
                s.total[at] = total;
            }
        }
        __syncthreads();
    }
}

/// One block a row, in a fixed order: the same bits every time.
__global__ void foldKernel(Scratch s, std::int64_t tiles) {
    __shared__ float highs[kThreads], totals[kThreads];
    const float* highest = s.highest + blockIdx.x * tiles;
    const float* total = s.total + blockIdx.x * tiles;
    float high = -INFINITY, sum = 0.0F;
    for (std::int64_t i = threadIdx.x; i < tiles; i += kThreads)
        high = fmaxf(high, highest[i]);
    highs[threadIdx.x] = high;
    __syncthreads();
    for (int o = kThreads / 2; o > 0; o /= 2) {
        if (static_cast<int>(threadIdx.x) < o)
            highs[threadIdx.x] = fmaxf(highs[threadIdx.x], highs[threadIdx.x + o]);
        __syncthreads();
    }
    high = highs[0];
    for (std::int64_t i = threadIdx.x; i < tiles; i += kThreads)
        if (highest[i] != -INFINITY) sum += total[i] * __expf(highest[i] - high);
    totals[threadIdx.x] = sum;
    __syncthreads();
    for (int o = kThreads / 2; o > 0; o /= 2) {
        if (static_cast<int>(threadIdx.x) < o) totals[threadIdx.x] += totals[threadIdx.x + o];
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        s.shift[blockIdx.x] = high;
        s.inverse[blockIdx.x] = 1.0F / totals[0];
    }
}

__global__ void addKernel(WindowSums p, Scratch s) {
    const std::int64_t token = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
    const int head = blockIdx.y;
    if (token >= p.length - p.window) return;
    const int heads = p.queryHeads / p.kvHeads;
    const std::int64_t row = std::int64_t{head / heads} * p.window * heads + head % heads;
    float sum = 0.0F;
    for (int w = 0; w < p.window; ++w) {
        if (token < p.first(w)) break;
        const std::int64_t r = row + std::int64_t{w} * heads;
        sum += __expf(s.logits[r * p.length + token] - s.shift[r]) * s.inverse[r];
    }
    p.out[head * p.outStride + token] = sum;
}

} // namespace

std::size_t windowSumsScratch(std::int64_t length, int window, int queryHeads) {
    const std::int64_t rows = std::int64_t{window} * queryHeads;
    return static_cast<std::size_t>(rows * (length + 2 * tilesOf(length) + 2)) * sizeof(float);
}

cudaError_t windowSums(const WindowSums& p, cudaStream_t stream) {
    if (p.length <= p.window) return cudaSuccess;
    const Scratch s = layoutOf(p);
    const int padded = paddedRows(p);
    const std::size_t bytes =
        static_cast<std::size_t>(padded + kTile) * (p.headDim + 8) * sizeof(bf16) +
        kRowStep * (kTile + 4) * sizeof(float);
    const cudaError_t set = cudaFuncSetAttribute(
        logitsKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
    if (set != cudaSuccess) return set;
    const auto tiles = tilesOf(p.length);
    logitsKernel<<<dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(p.kvHeads)), kThreads,
                   bytes, stream>>>(p, s, padded);
    foldKernel<<<static_cast<unsigned>(p.window * p.queryHeads), kThreads, 0, stream>>>(s, tiles);
    const std::int64_t scored = p.length - p.window;
    addKernel<<<dim3(static_cast<unsigned>((scored + kThreads - 1) / kThreads),
                     static_cast<unsigned>(p.queryHeads)),
                kThreads, 0, stream>>>(p, s);
    return cudaGetLastError();
}

} // namespace fkv::cuda
