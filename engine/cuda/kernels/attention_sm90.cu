// SPDX-License-Identifier: Apache-2.0

// One block of three warpgroups a multiprocessor: a producer that feeds key and value tiles through
// the bulk copy engine, and two consumers with 64 query rows each. A consumer issues the product of
// the next key tile before it multiplies the current probabilities with their values, so that its
// softmax runs under the tensor cores' work; the two consumers take turns in issuing, so that one's
// softmax also runs under the other's products. Two blocks of a cluster work on neighbouring heads
// of a group: each fetches half of every key and value tile and hands it to both. That halves what
// the L2 cache has to deliver, and the power it takes is what limits a long run.

#include "engine/cuda/kernels/attention.cuh"
#include "engine/cuda/kernels/attention_sm90_parts.cuh"

#include <algorithm>

namespace fkv::cuda {

namespace {

using namespace sm90;

/// A tile of keys or values: every block of the cluster fetches its share and hands it to all.
template <int D, int C>
__device__ void loadTile(bf16* to, const CUtensorMap* map, std::uint64_t* full, int token,
                         int head) {
    using S = Shape<D>;
    barrierExpect(full, S::kTileBytes);
    const int first = C > 1 ? static_cast<int>(clusterRank()) * (kKeys / C) : 0;
    for (int panel = 0; panel < S::kPanels; ++panel) {
        bf16* at = to + (panel * kKeys + first) * S::kPanel;
        if constexpr (C > 1)
            copyBoxToAll(at, map, full, (1 << C) - 1, panel * S::kPanel, token + first, head);
        else
            copyBox(at, map, full, panel * S::kPanel, token, head);
    }
}

/// Tells those who fill a stage, in every block of the cluster, that this warpgroup has read it.
template <int C>
__device__ __forceinline__ void release(std::uint64_t* empty, int thread) {
    if constexpr (C > 1) {
        if (thread < C) barrierArriveAt(empty, thread);
    } else {
        if (thread == 0) barrierArrive(empty);
    }
}

template <int D, int C>
__device__ void produce(Shared<D>& s, const Maps& maps, const Params& p) {
    Pipe keys, values;
    std::uint32_t tileParity = 0;
    for (Turns<C> turns; turns.next(p);) {
        const Tile tile = turns.tile(p);
        const int kvHead = tile.head / p.groupSize;
        const int total = tile.total();
        if (total == 0) continue;
        barrierWait(&s.queriesEmpty, tileParity ^ 1);
        barrierExpect(&s.queriesFull, Shape<D>::kTileBytes);
        for (int panel = 0; panel < Shape<D>::kPanels; ++panel)
            copyBox(s.queries + panel * kRows * Shape<D>::kPanel, &maps.queries, &s.queriesFull,
                    panel * Shape<D>::kPanel, tile.head, static_cast<int>(tile.firstRow));
        tileParity ^= 1;
        // Keys run one tile ahead of values, as the consumers ask for them.
        for (int i = 0; i <= total; ++i) {
            if (i < total) {
                barrierWait(&s.keysEmpty[keys.stage], keys.parity ^ 1);
                loadTile<D, C>(s.keys[keys.stage], &maps.keys[tile.range(i)],
                               &s.keysFull[keys.stage], tile.block(i) * kKeys, kvHead);
                keys.next();
            }
            if (i > 0) {
                barrierWait(&s.valuesEmpty[values.stage], values.parity ^ 1);
                loadTile<D, C>(s.values[values.stage], &maps.values[tile.range(i - 1)],
                               &s.valuesFull[values.stage], tile.block(i - 1) * kKeys, kvHead);
                values.next();
            }
        }
    }
}

/// scores = queries keys^T, enqueued.
template <int D>
__device__ __forceinline__ void multiplyKeys(float (&scores)[kScores], const bf16* queries,
                                             const bf16* keys) {
    using S = Shape<D>;
#pragma unroll
    for (int k = 0; k < D / 16; ++k) {
        const int panel = k * 16 / S::kPanel;
        const int column = k * 16 % S::kPanel;
        multiplyShared(scores,
                       matrixDescriptor(queries + panel * kRows * S::kPanel + column, 16,
                                        8 * S::kPanelBytes, S::kSwizzle),
                       matrixDescriptor(keys + panel * kKeys * S::kPanel + column, 16,
                                        8 * S::kPanelBytes, S::kSwizzle),
                       k > 0 ? 1 : 0);
    }
    productCommit();
}

/// out += probabilities values, enqueued.
template <int D>
__device__ __forceinline__ void multiplyValues(float (&out)[Shape<D>::kOut],
                                               const std::uint32_t (&probabilities)[kScores / 2],
                                               const bf16* values) {
    using S = Shape<D>;
#pragma unroll
    for (int k = 0; k < kKeys / 16; ++k)
        multiplyRegister(out, &probabilities[4 * k],
                         matrixDescriptor(values + k * 16 * S::kPanel, kKeys * S::kPanelBytes,
                                          8 * S::kPanelBytes, S::kSwizzle));
    productCommit();
}

template <int D>
__device__ void store(const Params& p, const Tile& tile, const Rows& rows, const Softmax& softmax,
                      const float (&out)[Shape<D>::kOut], int lane) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        const float inverse = softmax.inverse(r);
        if (rows.row[r] >= p.rows) continue;
        bf16* to = p.out + rows.row[r] * p.outStride + tile.head * D + (lane & 3) * 2;
#pragma unroll
        for (int i = 0; i < D / 8; ++i)
            *reinterpret_cast<__nv_bfloat162*>(to + 8 * i) = __floats2bfloat162_rn(
                out[4 * i + 2 * r] * inverse, out[4 * i + 2 * r + 1] * inverse);
    }
}

template <int D, int C>
__device__ void consume(Shared<D>& s, const Params& p, int group) {
    const int thread = threadIdx.x % kGroup;
    const int lane = thread % 32;
    const bf16* queries = s.queries + group * 64 * Shape<D>::kPanel;
    Pipe keys, values;
    std::uint32_t tileParity = 0;
    // Named barrier 1 + group means: this group may issue. Group 0 begins.
    const auto waitForTurn = [&] { namedSync(1 + group, 2 * kGroup); };
    const auto passTurn = [&] { namedArrive(2 - group, 2 * kGroup); };
    if (group == 1) passTurn();

    for (Turns<C> turns; turns.next(p);) {
        const Tile tile = turns.tile(p);
        const Rows rows(p, tile, (thread / 32) * 16 + group * 64 + lane / 4);
        const int total = tile.total();
        float out[Shape<D>::kOut];
#pragma unroll
        for (float& v : out)
            v = 0.0F;
        Softmax softmax;
        if (total > 0) {
            float scores[kScores];
            std::uint32_t probabilities[kScores / 2];
            const auto maskBlock = [&](int i) {
                const int range = tile.range(i), first = tile.block(i) * kKeys;
                if (first + kKeys > rows.leastOf(range)) {
                    const int visible[2] = {rows.visibleOf(range, 0), rows.visibleOf(range, 1)};
                    mask(scores, visible, first, lane);
                }
                const Attention::Range& keys = p.ranges[range];
                const int most = rows.mostOf(range);
                if (keys.positions != nullptr ? most > 0 : first < most) {
                    const int low[2] = {rows.row[0] < p.rows ? keys.first(rows.row[0]) : 0,
                                        rows.row[1] < p.rows ? keys.first(rows.row[1]) : 0};
                    maskBelow(scores, low, keys, tile.head / p.groupSize, first, lane);
                }
            };
            barrierWait(&s.queriesFull, tileParity);
            tileParity ^= 1;
            barrierWait(&s.keysFull[keys.stage], keys.parity);
            productFence();
            multiplyKeys<D>(scores, queries, s.keys[keys.stage]);
            productWait<0>();
            pin(scores);
            release<C>(&s.keysEmpty[keys.stage], thread);
            keys.next();
            maskBlock(0);
            softmax.update(scores, p.scaleLog2);
            toBf16(scores, probabilities);
            for (int i = 1; i < total; ++i) {
                barrierWait(&s.keysFull[keys.stage], keys.parity);
                waitForTurn();
                pin(scores);
                pin(out);
                productFence();
                multiplyKeys<D>(scores, queries, s.keys[keys.stage]);
                barrierWait(&s.valuesFull[values.stage], values.parity);
                multiplyValues<D>(out, probabilities, s.values[values.stage]);
                passTurn();
                productWait<1>();
                pin(scores);
                release<C>(&s.keysEmpty[keys.stage], thread);
                keys.next();
                maskBlock(i);
                softmax.update(scores, p.scaleLog2);
                productWait<0>();
                pin(out);
                release<C>(&s.valuesEmpty[values.stage], thread);
                values.next();
                toBf16(scores, probabilities);
#pragma unroll
                for (int j = 0; j < Shape<D>::kOut; ++j)
                    out[j] *= softmax.shrink[(j >> 1) & 1];
            }
            // The keys are done with, so the next tile's queries may come.
            if (thread == 0) barrierArrive(&s.queriesEmpty);
            barrierWait(&s.valuesFull[values.stage], values.parity);
            pin(out);
            productFence();
            multiplyValues<D>(out, probabilities, s.values[values.stage]);
            productWait<0>();
            pin(out);
            release<C>(&s.valuesEmpty[values.stage], thread);
            values.next();
        }
        store<D>(p, tile, rows, softmax, out, lane);
    }
}

template <int D, int C>
__global__ void __launch_bounds__(kThreads, 1)
    attentionKernel(const __grid_constant__ Maps maps, const __grid_constant__ Params p) {
    extern __shared__ __align__(1024) unsigned char memory[];
    auto& s = *reinterpret_cast<Shared<D>*>(memory);
    if (threadIdx.x == 0) {
        barrierInit(&s.queriesFull, 1);
        barrierInit(&s.queriesEmpty, 2);
        for (int i = 0; i < kStages; ++i) {
            barrierInit(&s.keysFull[i], 1);
            barrierInit(&s.keysEmpty[i], 2 * C);
            barrierInit(&s.valuesFull[i], 1);
            barrierInit(&s.valuesEmpty[i], 2 * C);
        }
        barrierInitFence();
    }
    // Nothing may come from another block before the barriers stand.
    if constexpr (C > 1)
        clusterSync();
    else
        __syncthreads();
    const int group = threadIdx.x / kGroup;
    if (group == 0) {
        giveRegisters<24>();
        if (threadIdx.x == 0) produce<D, C>(s, maps, p);
    } else {
        takeRegisters<240>();
        consume<D, C>(s, p, group - 1);
    }
    // Nor may a block leave while another still hands it tiles or arrives at its barriers.
    if constexpr (C > 1) clusterSync();
}

using Encode = decltype(&cuTensorMapEncodeTiled);

/// The driver's own function, found at run time: nothing links against libcuda.
Encode encoder() {
    static const Encode found = [] {
        void* f = nullptr;
        cudaDriverEntryPointQueryResult result{};
        if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &f, 12000, cudaEnableDefault,
                                             &result) != cudaSuccess)
            return static_cast<Encode>(nullptr);
        return reinterpret_cast<Encode>(f);
    }();
    return found;
}

struct Box {
    const void* data;
    std::uint64_t extents[3]; ///< innermost first, elements
    std::uint64_t strides[2]; ///< of extents 1 and 2, bytes
    std::uint32_t box[3];
};

bool makeMap(CUtensorMap& map, const Box& b, Swizzle swizzle) {
    const std::uint32_t ones[3] = {1, 1, 1};
    return encoder() != nullptr &&
           encoder()(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3, const_cast<void*>(b.data),
                     b.extents, b.strides, b.box, ones, CU_TENSOR_MAP_INTERLEAVE_NONE,
                     swizzle == Swizzle::Bytes128 ? CU_TENSOR_MAP_SWIZZLE_128B
                                                  : CU_TENSOR_MAP_SWIZZLE_64B,
                     CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                     CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

template <int D, int C>
cudaError_t launchClusters(const Maps& maps, const Params& p, int multiprocessors,
                           cudaStream_t stream) {
    const int bytes = static_cast<int>(sizeof(Shared<D>));
    const cudaError_t set = cudaFuncSetAttribute(
        attentionKernel<D, C>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (set != cudaSuccess) return set;
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {C, 1, 1};
    cudaLaunchConfig_t config{};
    config.gridDim = std::min(p.tiles, multiprocessors / C * C);
    config.blockDim = kThreads;
    config.dynamicSmemBytes = bytes;
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = 1;
    return cudaLaunchKernelEx(&config, attentionKernel<D, C>, maps, p);
}

template <int D>
cudaError_t launch(const Attention& a, cudaStream_t stream) {
    using S = Shape<D>;
    // Blocks that share keys: heads of one group.
    const int blocks = a.queryHeads / a.kvHeads % 2 == 0 && a.multiprocessors > 1 ? 2 : 1;
    Maps maps{};
    const auto heads = static_cast<std::uint64_t>(a.queryHeads);
    bool made = makeMap(maps.queries,
                        {a.queries,
                         {D, heads, static_cast<std::uint64_t>(a.rows)},
                         {D * 2, static_cast<std::uint64_t>(a.queryStride) * 2},
                         {S::kPanel, 1, kRows}},
                        S::kSwizzle);
    Params p{};
    for (int r = 0; r < a.rangeCount; ++r) {
        const Attention::Range& range = a.ranges[r];
        p.ranges[r] = range;
        // Beyond `length` the copy engine fills in zeros: 0 x garbage could be NaN.
        const auto box = [&](const void* data) {
            return Box{data,
                       {D, static_cast<std::uint64_t>(std::max<std::int64_t>(range.length, 1)),
                        static_cast<std::uint64_t>(a.kvHeads)},
                       {D * 2, static_cast<std::uint64_t>(range.capacity) * D * 2},
                       {S::kPanel, static_cast<std::uint32_t>(kKeys / blocks), 1}};
        };
        made = made && makeMap(maps.keys[r], box(range.keys), S::kSwizzle) &&
               makeMap(maps.values[r], box(range.values), S::kSwizzle);
    }
    if (!made) return cudaErrorInvalidValue;
    p.out = static_cast<bf16*>(a.out);
    p.outStride = a.outStride;
    p.rows = a.rows;
    p.queryHeads = a.queryHeads;
    p.groupSize = a.queryHeads / a.kvHeads;
    p.rowTiles = static_cast<int>((a.rows + kRows - 1) / kRows);
    p.tiles = p.rowTiles * a.queryHeads;
    p.rangeCount = a.rangeCount;
    p.scaleLog2 = a.scale * 1.44269504088896F;
    return blocks == 2 ? launchClusters<D, 2>(maps, p, a.multiprocessors, stream)
                       : launchClusters<D, 1>(maps, p, a.multiprocessors, stream);
}

} // namespace

cudaError_t attentionSm90(const Attention& p, cudaStream_t stream) {
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
