// SPDX-License-Identifier: Apache-2.0

// A persistent grid: every warp streams its rows of the weights, one after the other, through a
// ring of its own in shared memory. Each lane reads only what it asked for itself, so nothing but
// the lane's own copies is waited for, and the ring stays full across the ends of rows. The vector
// lies in shared memory too, normed there by every block for itself: reading 8 KB again from the L2
// cache costs less than another launch.

#include "engine/cuda/kernels/decode.cuh"
#include "engine/cuda/kernels/launch.cuh"

#include <algorithm>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kLanes = 8;              ///< bf16 values of one 16-byte load
constexpr int kUnit = 32 * kLanes;     ///< values a warp loads at once
constexpr int kBatch = 4;              ///< units that are asked for together
constexpr int kDepth = 4;              ///< batches under way
constexpr int kRing = kBatch * kDepth; ///< units a warp holds: 8 KB
constexpr int kBlocksPerMultiprocessor = 2;
constexpr std::size_t kRingBytes = std::size_t{kWarps} * kRing * 32 * 16;

struct alignas(16) Eight {
    __nv_bfloat162 v[4];
};

__device__ __forceinline__ float dot(const Eight& w, const Eight& x, float sum) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const float2 a = __bfloat1622float2(w.v[i]);
        const float2 b = __bfloat1622float2(x.v[i]);
        sum = fmaf(a.x, b.x, sum);
        sum = fmaf(a.y, b.y, sum);
    }
    return sum;
}

__device__ float warpSum(float v) {
    for (int o = 16; o > 0; o /= 2)
        v += __shfl_xor_sync(0xffffffff, v, o);
    return v;
}

/// Asks for the pieces that this thread itself is going to read.
__device__ void fetchVector(const bf16* from, int count, bf16* to) {
    for (int c = threadIdx.x * kLanes; c < count; c += kThreads * kLanes)
        fetch(to + c, from + c);
}

/// x / rms(x) * norm in place, each thread its own pieces; the sums meet in `parts`.
__device__ void normVector(const Gemv& p, bf16* x, const bf16* norm, float* parts) {
    float sum = 0.0F;
    for (int c = threadIdx.x * kLanes; c < p.in; c += kThreads * kLanes) {
        const Eight e = *reinterpret_cast<const Eight*>(x + c);
        sum = dot(e, e, sum);
    }
    sum = warpSum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0.0F;
    for (int i = 0; i < kWarps; ++i)
        sum += parts[i];
    const float scale = rsqrtf(sum / static_cast<float>(p.in) + p.eps);
    for (int c = threadIdx.x * kLanes; c < p.in; c += kThreads * kLanes) {
        Eight e = *reinterpret_cast<const Eight*>(x + c);
        const Eight n = *reinterpret_cast<const Eight*>(norm + c);
#pragma unroll
        for (int i = 0; i < kLanes / 2; ++i) {
            const float2 v = __bfloat1622float2(e.v[i]), w = __bfloat1622float2(n.v[i]);
            e.v[i] = __floats2bfloat162_rn(v.x * scale * w.x, v.y * scale * w.y);
        }
        *reinterpret_cast<Eight*>(x + c) = e;
    }
}

/// Writes a row's sum. Gate rows come right before their up rows, in the same lane.
__device__ void write(const Gemv& p, int row, float sum, float& gate) {
    if (p.bias != nullptr) sum += __bfloat162float(p.bias[row]);
    auto* out = static_cast<bf16*>(p.out);
    switch (p.kind) {
    case GemvOut::Store:
        out[row] = __float2bfloat16(sum);
        break;
    case GemvOut::Add:
        out[row] = __float2bfloat16(__bfloat162float(out[row]) + sum);
        break;
    case GemvOut::SwiGlu: {
        // The two halves are rounded first, as the unfused ops round them.
        const float rounded = __bfloat162float(__float2bfloat16(sum));
        if (row < p.rows / 2)
            gate = rounded;
        else
            out[row - p.rows / 2] = __float2bfloat16(gate / (1.0F + __expf(-gate)) * rounded);
        break;
    }
    case GemvOut::StoreF32:
        static_cast<float*>(p.out)[row] = sum;
        break;
    }
}

/// The rows of one warp in order: all warps take neighbours at the same time. For SwiGLU a row of
/// the gate, then its row of up.
class WarpRows {
public:
    __device__ WarpRows(const Gemv& p, int warp, int warps)
        : m_pairs(p.kind == GemvOut::SwiGlu),
          m_items(m_pairs ? p.rows / 2 : p.rows),
          m_stride(warps),
          m_item(warp) {}
    __device__ bool done() const { return m_item >= m_items; }
    __device__ int row() const { return m_item + (m_second ? m_items : 0); }
    __device__ void next() {
        if (m_pairs && !m_second) {
            m_second = true;
            return;
        }
        m_second = false;
        m_item += m_stride;
    }

private:
    bool m_pairs, m_second = false;
    int m_items, m_stride, m_item;
};

/// Asks for one unit after the other of the warp's rows.
class Feeder {
public:
    __device__ Feeder(const Gemv& p, const WarpRows& rows, Eight* ring, int lane)
        : m_p(p), m_rows(rows), m_ring(ring + lane), m_column(lane * kLanes) {
        setRow();
    }
    /// The next batch, into the batch-sized part of the ring that was asked for longest ago.
    __device__ void batch(int lane) {
#pragma unroll
        for (int u = 0; u < kBatch; ++u) {
            if (!m_rows.done()) {
                fetch(m_ring + (m_slot + u) * 32, m_row + m_column, m_column < m_p.in);
                m_column += kUnit;
                if (m_column - lane * kLanes >= m_p.in) {
                    m_column = lane * kLanes;
                    m_rows.next();
                    setRow();
                }
            }
        }
        m_slot = (m_slot + kBatch) % kRing;
        commitFetches();
    }

private:
    __device__ void setRow() {
        m_row = m_p.weight + (m_rows.done() ? 0 : std::int64_t{m_rows.row()} * m_p.in);
    }
    const Gemv& m_p;
    WarpRows m_rows;
    Eight* m_ring;
    const bf16* m_row = nullptr;
    int m_column;
    int m_slot = 0;
};

__global__ void __launch_bounds__(kThreads, kBlocksPerMultiprocessor) gemvKernel(Gemv p) {
    // The next kernel's blocks come as this one's leave; what they ask for before their own wait
    // are weights, which do not depend on the vector.
    letNextStart();
    extern __shared__ __align__(16) unsigned char memory[];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    Eight* ring = reinterpret_cast<Eight*>(memory) + warp * kRing * 32;
    auto* x = reinterpret_cast<bf16*>(memory + kRingBytes);
    const int units = (p.in + kUnit - 1) / kUnit;
    bf16* norm = x + units * kUnit;
    __shared__ float parts[kWarps];
    // Warps of one block are far apart, so that the last, incomplete round is spread over all.
    const WarpRows mine(p, warp * gridDim.x + blockIdx.x, gridDim.x * kWarps);
    if (p.norm != nullptr) fetchVector(p.norm, p.in, norm);
    Feeder feeder(p, mine, ring, lane);
    for (int i = 0; i < kDepth; ++i)
        feeder.batch(lane);
    for (int c = p.in + threadIdx.x; c < units * kUnit; c += kThreads)
        x[c] = __float2bfloat16(0.0F);
    waitForPrevious();
    fetchVector(p.x, p.in, x);
    commitFetches();
    waitForAllBut<0>();
    if (p.norm != nullptr) normVector(p, x, norm, parts);
    __syncthreads();
    WarpRows rows = mine;
    const Eight* mineX = reinterpret_cast<const Eight*>(x) + lane;
    int unit = 0, slot = 0;
    float sum = 0.0F, gate = 0.0F;
    while (!rows.done()) {
        waitForAllBut<kDepth - 1>();
#pragma unroll
        for (int u = 0; u < kBatch; ++u) {
            if (rows.done()) break;
            sum = dot(ring[(slot + u) * 32 + lane], mineX[unit * 32], sum);
            if (++unit < units) continue;
            sum = warpSum(sum);
            if (lane == 0) write(p, rows.row(), sum, gate);
            sum = 0.0F;
            unit = 0;
            rows.next();
        }
        slot = (slot + kBatch) % kRing;
        feeder.batch(lane);
    }
}

__global__ void embedStepKernel(const StepState* state, const bf16* table, std::int64_t cols,
                                bf16* x) {
    const bf16* from = table + state->token * cols;
    for (std::int64_t c = threadIdx.x * kLanes; c < cols; c += blockDim.x * kLanes)
        *reinterpret_cast<Eight*>(x + c) = *reinterpret_cast<const Eight*>(from + c);
}

} // namespace

cudaError_t gemv(const Gemv& p, cudaStream_t s) {
    if (p.rows % 2 != 0 || p.in % kLanes != 0 || p.in > kGemvMostIn) return cudaErrorInvalidValue;
    // Whole units: what lies behind the vector is multiplied by zeros, so it has to be finite.
    const std::size_t units = (static_cast<std::size_t>(p.in) + kUnit - 1) / kUnit;
    const std::size_t vector = units * kUnit * sizeof(bf16);
    const std::size_t bytes = kRingBytes + (p.norm != nullptr ? 2 * vector : vector);
    static const cudaError_t allowed = cudaFuncSetAttribute(
        gemvKernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        static_cast<int>(kRingBytes + 2 * std::size_t{kGemvMostIn} * sizeof(bf16)));
    if (allowed != cudaSuccess) return allowed;
    const int items = p.kind == GemvOut::SwiGlu ? p.rows / 2 : p.rows;
    const int most = kBlocksPerMultiprocessor * multiprocessors();
    const dim3 grid(static_cast<unsigned>(std::min(most, (items + kWarps - 1) / kWarps)));
    return launchOverlapping(gemvKernel, {grid, kThreads, bytes, s}, p);
}

cudaError_t embedStep(const StepState* state, const bf16* table, std::int64_t cols, bf16* x,
                      cudaStream_t s) {
    embedStepKernel<<<1, kThreads, 0, s>>>(state, table, cols, x);
    return cudaGetLastError();
}

} // namespace fkv::cuda
