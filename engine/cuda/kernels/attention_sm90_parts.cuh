// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the Hopper attention kernel is made of: tiles and how they are handed out, shared memory,
// masks, the online softmax.

#include "engine/cuda/kernels/attention.cuh"
#include "engine/cuda/kernels/hopper.cuh"

#include <cstdint>
#include <cuda.h>
#include <cuda_bf16.h>

namespace fkv::cuda::sm90 {

using namespace hopper;
using bf16 = __nv_bfloat16;

constexpr int kRows = 128; ///< query rows of a tile
constexpr int kKeys = 128; ///< keys of a tile
constexpr int kStages = 2;
constexpr int kGroup = 128; ///< threads of a warpgroup
constexpr int kThreads = 3 * kGroup;
constexpr int kScores = kKeys / 2; ///< accumulators a thread: 64 rows x kKeys / 128 threads

template <int D>
struct Shape {
    static constexpr int kPanel = D < 64 ? D : 64; ///< columns under one swizzle pattern
    static constexpr int kPanels = D / kPanel;
    static constexpr int kPanelBytes = kPanel * 2; ///< of one row of a panel
    static constexpr Swizzle kSwizzle = kPanel == 64 ? Swizzle::Bytes128 : Swizzle::Bytes64;
    static constexpr int kTileElements = kKeys * D;
    static constexpr int kTileBytes = kTileElements * 2;
    static constexpr int kOut = D / 2; ///< output accumulators a thread
};

template <int D>
struct Shared {
    alignas(1024) bf16 queries[kRows * D];
    alignas(1024) bf16 keys[kStages][kKeys * D];
    alignas(1024) bf16 values[kStages][kKeys * D];
    std::uint64_t queriesFull, queriesEmpty;
    std::uint64_t keysFull[kStages], keysEmpty[kStages];
    std::uint64_t valuesFull[kStages], valuesEmpty[kStages];
};

struct Maps {
    CUtensorMap queries, keys[2], values[2];
};

struct Params {
    bf16* out;
    std::int64_t outStride, rows;
    int queryHeads, groupSize, rowTiles, tiles, rangeCount;
    float scaleLog2;
    Attention::Range ranges[2];
};

/// Work of one tile: key tiles of the last range first, each range from its end to its start.
struct Tile {
    std::int64_t firstRow;
    int head;
    int blocks[2];     ///< key tiles of each range
    int firstBlock[2]; ///< those before hold nothing that a row of the tile sees

    __device__ Tile(const Params& p, int rowTile, int queryHead)
        : firstRow(static_cast<std::int64_t>(rowTile) * kRows), head(queryHead) {
        const std::int64_t last = min(firstRow + kRows, p.rows) - 1;
        for (int r = 0; r < 2; ++r) {
            firstBlock[r] = blocks[r] = 0;
            if (r >= p.rangeCount) continue;
            firstBlock[r] = p.ranges[r].begin(firstRow) / kKeys;
            blocks[r] = max(0, (p.ranges[r].visible(last) + kKeys - 1) / kKeys - firstBlock[r]);
        }
    }
    __device__ int total() const { return blocks[0] + blocks[1]; }
    /// The i-th key tile in order of work.
    __device__ int range(int i) const { return i < blocks[1] ? 1 : 0; }
    __device__ int block(int i) const {
        return i < blocks[1] ? firstBlock[1] + blocks[1] - 1 - i
                             : firstBlock[0] + blocks[0] - 1 - (i - blocks[1]);
    }
};

/// Hands the tiles out over a persistent grid, to clusters of `C` blocks: the same rows of `C`
/// neighbouring heads to the blocks of a cluster. Long rows first, so that the short ones fill the
/// gaps at the end, and every other round backwards, so that nobody has the longer ones of each.
template <int C>
struct Turns {
    int round = -1, unit = 0;

    __device__ bool next(const Params& p) {
        const int clusters = gridDim.x / C, mine = blockIdx.x / C;
        do {
            ++round;
            if (round * clusters >= p.tiles / C) return false;
            unit = round * clusters + (round % 2 == 1 ? clusters - 1 - mine : mine);
        } while (unit >= p.tiles / C);
        return true;
    }
    __device__ Tile tile(const Params& p) const {
        const int units = p.queryHeads / C;
        return {p, p.rowTiles - 1 - unit / units,
                unit % units * C + static_cast<int>(blockIdx.x % C)};
    }
};

struct Pipe {
    int stage = 0;
    std::uint32_t parity = 0;
    __device__ void next() {
        if (++stage == kStages) {
            stage = 0;
            parity ^= 1;
        }
    }
};

__device__ __forceinline__ float exp2Fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/// Online softmax of two rows a thread, shared by four lanes.
struct Softmax {
    float highest[2] = {-INFINITY, -INFINITY};
    float total[2] = {0.0F, 0.0F};
    float shrink[2]; ///< what older sums must be multiplied with

    __device__ __forceinline__ void update(float (&s)[kScores], float scaleLog2) {
#pragma unroll
        for (int r = 0; r < 2; ++r) {
            float most = highest[r];
#pragma unroll
            for (int i = 0; i < kScores / 4; ++i)
                most = fmaxf(most, fmaxf(s[4 * i + 2 * r], s[4 * i + 2 * r + 1]));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
            // A row that has seen nothing yet must not turn into NaN.
            const float base = most == -INFINITY ? 0.0F : most * scaleLog2;
            shrink[r] = exp2Fast(highest[r] * scaleLog2 - base);
            highest[r] = most;
            float sum = 0.0F;
#pragma unroll
            for (int i = 0; i < kScores / 4; ++i) {
#pragma unroll
                for (int c = 0; c < 2; ++c) {
                    float& v = s[4 * i + 2 * r + c];
                    v = exp2Fast(fmaf(v, scaleLog2, -base));
                    sum += v;
                }
            }
            total[r] = total[r] * shrink[r] + sum;
        }
    }
    /// 1 / total over all lanes of the row; 0 for a row that saw nothing.
    __device__ float inverse(int r) const {
        float t = total[r];
        t += __shfl_xor_sync(0xffffffff, t, 1);
        t += __shfl_xor_sync(0xffffffff, t, 2);
        return t > 0.0F ? 1.0F / t : 0.0F;
    }
};

__device__ __forceinline__ void toBf16(const float (&s)[kScores], std::uint32_t (&p)[kScores / 2]) {
#pragma unroll
    for (int i = 0; i < kScores / 2; ++i) {
        const __nv_bfloat162 pair = __floats2bfloat162_rn(s[2 * i], s[2 * i + 1]);
        p[i] = reinterpret_cast<const std::uint32_t&>(pair);
    }
}

__device__ __forceinline__ void mask(float (&s)[kScores], const int (&visible)[2], int firstKey,
                                     int lane) {
#pragma unroll
    for (int i = 0; i < kScores; ++i) {
        const int key = firstKey + (i / 4) * 8 + (lane & 3) * 2 + (i & 1);
        if (key >= visible[(i >> 1) & 1]) s[i] = -INFINITY;
    }
}

/// The same for what a sliding window hides; `low` [row].
__device__ __forceinline__ void maskBelow(float (&s)[kScores], const int (&low)[2],
                                          const Attention::Range& range, int kvHead, int firstKey,
                                          int lane) {
#pragma unroll
    for (int i = 0; i < kScores; ++i) {
        const int key = firstKey + (i / 4) * 8 + (lane & 3) * 2 + (i & 1);
        // Past the length there are no labels, and nothing is left to hide.
        if (key < range.length && range.label(kvHead, key) < low[(i >> 1) & 1]) s[i] = -INFINITY;
    }
}

/// What a consumer thread knows of its two rows.
struct Rows {
    std::int64_t row[2];
    int visible[2][2]; ///< [range][row]
    int least[2];      ///< of the whole tile: below it no masking is needed
    int most[2];       ///< of the whole tile: labels from it on are hidden from no row

    // Choices, not tables: what is indexed at run time would live in memory.
    __device__ int leastOf(int range) const { return range == 0 ? least[0] : least[1]; }
    __device__ int mostOf(int range) const { return range == 0 ? most[0] : most[1]; }
    __device__ int visibleOf(int range, int r) const {
        return range == 0 ? visible[0][r] : visible[1][r];
    }

    __device__ Rows(const Params& p, const Tile& tile, int firstOfThread) {
        for (int r = 0; r < 2; ++r)
            row[r] = tile.firstRow + firstOfThread + 8 * r;
        for (int g = 0; g < p.rangeCount; ++g) {
            least[g] = p.ranges[g].visible(tile.firstRow);
            most[g] = p.ranges[g].first(min(tile.firstRow + kRows, p.rows) - 1);
            for (int r = 0; r < 2; ++r)
                visible[g][r] = row[r] < p.rows ? p.ranges[g].visible(row[r]) : 0;
        }
    }
};

} // namespace fkv::cuda::sm90
