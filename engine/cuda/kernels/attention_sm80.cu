// SPDX-License-Identifier: Apache-2.0

// Four warps with 16 query rows each share tiles of 64 keys, fetched two deep with cp.async. Every
// warp keeps its rows' softmax and output in registers.

#include "engine/cuda/kernels/attention.cuh"
#include "engine/cuda/kernels/launch.cuh"
#include "engine/cuda/kernels/tensor_core.cuh"

#include <algorithm>
#include <cmath>
#include <cuda_bf16.h>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kRows = 64;
constexpr int kKeys = 64;
constexpr int kThreads = 128;
constexpr int kStages = 2;

template <int D>
struct Shared {
    static constexpr int kPitch = D + 8; ///< rows 16 bytes apart in banks: no conflicts in ldmatrix
    bf16 queries[kRows * kPitch];
    bf16 keys[kStages][kKeys * kPitch];
    bf16 values[kStages][kKeys * kPitch];
};

struct Params {
    Attention a;
    int rowTiles;
    float scaleLog2;
};

/// `count` rows of D values from global memory [.., stride]; rows from `valid` on become zero.
template <int D>
__device__ void fetchRows(bf16* to, const bf16* from, std::int64_t stride, int count,
                          std::int64_t valid) {
    for (int i = threadIdx.x; i < count * (D / 8); i += kThreads) {
        const int row = i / (D / 8), c = i % (D / 8) * 8;
        const bool inside = row < valid;
        fetch(to + row * Shared<D>::kPitch + c, from + (inside ? row : 0) * stride + c, inside);
    }
}

template <int D>
__device__ void fetchTile(Shared<D>& s, int stage, const Attention::Range& range, int kvHead,
                          int first) {
    const std::int64_t at = (kvHead * range.capacity + first) * D;
    const std::int64_t valid = range.length - first;
    fetchRows<D>(s.keys[stage], static_cast<const bf16*>(range.keys) + at, D, kKeys, valid);
    fetchRows<D>(s.values[stage], static_cast<const bf16*>(range.values) + at, D, kKeys, valid);
    commitFetches();
}

template <int D>
__global__ void __launch_bounds__(kThreads) attentionKernel(const __grid_constant__ Params p) {
    extern __shared__ __align__(16) unsigned char memory[];
    auto& s = *reinterpret_cast<Shared<D>*>(memory);
    constexpr int pitch = Shared<D>::kPitch;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int head = blockIdx.x % p.a.queryHeads;
    const std::int64_t firstRow =
        static_cast<std::int64_t>(p.rowTiles - 1 - blockIdx.x / p.a.queryHeads) * kRows;
    const int kvHead = head / (p.a.queryHeads / p.a.kvHeads);
    const std::int64_t lastRow = min(firstRow + kRows, p.a.rows) - 1;

    int blocks[2] = {0, 0}, least[2] = {0, 0}, visible[2][2] = {{0, 0}, {0, 0}};
    int firstBlock[2] = {0, 0}, most[2] = {0, 0}, lowest[2][2] = {{0, 0}, {0, 0}};
    const std::int64_t row[2] = {firstRow + warp * 16 + lane / 4,
                                 firstRow + warp * 16 + lane / 4 + 8};
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        if (r >= p.a.rangeCount) continue;
        const Attention::Range& range = p.a.ranges[r];
        firstBlock[r] = range.begin(firstRow) / kKeys;
        blocks[r] = max(0, (range.visible(lastRow) + kKeys - 1) / kKeys - firstBlock[r]);
        least[r] = range.visible(firstRow);
        most[r] = range.first(lastRow);
        for (int i = 0; i < 2; ++i) {
            visible[r][i] = row[i] < p.a.rows ? range.visible(row[i]) : 0;
            lowest[r][i] = row[i] < p.a.rows ? range.first(row[i]) : 0;
        }
    }
    const int total = blocks[0] + blocks[1];
    const auto firstKey = [&](int i) {
        return (i < blocks[0] ? firstBlock[0] + i : firstBlock[1] + i - blocks[0]) * kKeys;
    };
    const auto tile = [&](int i, int stage) {
        fetchTile<D>(s, stage, p.a.ranges[i < blocks[0] ? 0 : 1], kvHead, firstKey(i));
    };
    fetchRows<D>(s.queries,
                 static_cast<const bf16*>(p.a.queries) + firstRow * p.a.queryStride + head * D,
                 p.a.queryStride, kRows, p.a.rows - firstRow);
    commitFetches();
    if (total > 0) tile(0, 0);

    float out[D / 8][4] = {};
    float highest[2] = {-INFINITY, -INFINITY}, sum[2] = {0.0F, 0.0F};
    for (int i = 0; i < total; ++i) {
        if (i + 1 < total) {
            tile(i + 1, (i + 1) % kStages);
            waitForAllBut<1>();
        } else {
            waitForAllBut<0>();
        }
        __syncthreads();
        const bf16* keys = s.keys[i % kStages];
        const bf16* values = s.values[i % kStages];
        float scores[kKeys / 8][4] = {};
#pragma unroll
        for (int k = 0; k < D; k += 16) {
            std::uint32_t q[4];
            loadMatrix(q, s.queries + (warp * 16 + lane % 16) * pitch + k + lane / 16 * 8);
#pragma unroll
            for (int n = 0; n < kKeys; n += 16) {
                std::uint32_t b[4];
                loadMatrix(b, keys + (n + lane / 16 * 8 + lane % 8) * pitch + k + lane / 8 % 2 * 8);
                multiply(scores[n / 8], q, b[0], b[1]);
                multiply(scores[n / 8 + 1], q, b[2], b[3]);
            }
        }
        const int range = i < blocks[0] ? 0 : 1;
        const int first = firstKey(i);
        const int hidden = range == 0 ? most[0] : most[1];
        // Labels in any order may lie below the mark anywhere.
        const bool slides = p.a.ranges[range].positions != nullptr ? hidden > 0 : first < hidden;
        if (slides || first + kKeys > (range == 0 ? least[0] : least[1])) {
#pragma unroll
            for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    const int seen = range == 0 ? visible[0][j / 2] : visible[1][j / 2];
                    const int low = range == 0 ? lowest[0][j / 2] : lowest[1][j / 2];
                    const int key = first + n * 8 + lane % 4 * 2 + j % 2;
                    if (key >= seen || (slides && p.a.ranges[range].label(kvHead, key) < low))
                        scores[n][j] = -INFINITY;
                }
        }
#pragma unroll
        for (int r = 0; r < 2; ++r) {
            float most = highest[r];
#pragma unroll
            for (int n = 0; n < kKeys / 8; ++n)
                most = fmaxf(most, fmaxf(scores[n][2 * r], scores[n][2 * r + 1]));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 1));
            most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, 2));
            const float base = most == -INFINITY ? 0.0F : most * p.scaleLog2;
            const float shrink = exp2f(highest[r] * p.scaleLog2 - base);
            highest[r] = most;
            float add = 0.0F;
#pragma unroll
            for (int n = 0; n < kKeys / 8; ++n)
#pragma unroll
                for (int j = 2 * r; j < 2 * r + 2; ++j) {
                    scores[n][j] = exp2f(fmaf(scores[n][j], p.scaleLog2, -base));
                    add += scores[n][j];
                }
            sum[r] = sum[r] * shrink + add;
#pragma unroll
            for (int n = 0; n < D / 8; ++n) {
                out[n][2 * r] *= shrink;
                out[n][2 * r + 1] *= shrink;
            }
        }
#pragma unroll
        for (int k = 0; k < kKeys; k += 16) {
            const std::uint32_t a[4] = {pack(scores[k / 8][0], scores[k / 8][1]),
                                        pack(scores[k / 8][2], scores[k / 8][3]),
                                        pack(scores[k / 8 + 1][0], scores[k / 8 + 1][1]),
                                        pack(scores[k / 8 + 1][2], scores[k / 8 + 1][3])};
#pragma unroll
            for (int n = 0; n < D; n += 16) {
                std::uint32_t b[4];
                loadMatrixTransposed(b, values + (k + lane % 16) * pitch + n + lane / 16 * 8);
                multiply(out[n / 8], a, b[0], b[1]);
                multiply(out[n / 8 + 1], a, b[2], b[3]);
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        sum[r] += __shfl_xor_sync(0xffffffff, sum[r], 1);
        sum[r] += __shfl_xor_sync(0xffffffff, sum[r], 2);
        const float inverse = sum[r] > 0.0F ? 1.0F / sum[r] : 0.0F;
        if (row[r] >= p.a.rows) continue;
        bf16* to = static_cast<bf16*>(p.a.out) + row[r] * p.a.outStride + head * D + lane % 4 * 2;
#pragma unroll
        for (int n = 0; n < D / 8; ++n)
            *reinterpret_cast<std::uint32_t*>(to + n * 8) =
                pack(out[n][2 * r] * inverse, out[n][2 * r + 1] * inverse);
    }
}

template <int D>
cudaError_t launch(const Attention& a, cudaStream_t stream) {
    Params p{a, static_cast<int>((a.rows + kRows - 1) / kRows), a.scale * 1.44269504088896F};
    const int bytes = static_cast<int>(sizeof(Shared<D>));
    const cudaError_t set = cudaFuncSetAttribute(
        attentionKernel<D>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (set != cudaSuccess) return set;
    attentionKernel<D>
        <<<static_cast<unsigned>(p.rowTiles * a.queryHeads), kThreads, bytes, stream>>>(p);
    return cudaGetLastError();
}

} // namespace

cudaError_t attentionSm80(const Attention& p, cudaStream_t stream) {
    if (p.rows == 0) return cudaSuccess;
    switch (p.headDim) {
    case 32:
        return launch<32>(p, stream);
    case 64:
        return launch<64>(p, stream);
    case 128:
        return launch<128>(p, stream);
    default:
        return cudaErrorInvalidValue;
    }
}

} // namespace fkv::cuda
