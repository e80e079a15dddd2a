// SPDX-License-Identifier: Apache-2.0

// A persistent grid: every warp streams its rows of the weights, one after the other, through a
// ring of its own in shared memory. Each lane reads only what it asked for itself, so nothing but
// the lane's own copies is waited for, and the ring stays full across the ends of rows. The vector
// lies in shared memory too, normed there by every block for itself: reading 8 KB again from the L2
// cache costs less than another launch.

#include "engine/cuda/kernels/gemv_parts.cuh"

namespace fkv::cuda {

namespace {

constexpr int kBatch = 4;              ///< units that are asked for together
constexpr int kDepth = 4;              ///< batches under way
constexpr int kRing = kBatch * kDepth; ///< units a warp holds: 8 KB
constexpr std::size_t kRingBytes = std::size_t{kWarps} * kRing * 32 * sizeof(Eight);

/// Asks for one unit after the other of the warp's rows.
class Feeder {
public:
    __device__ Feeder(const Gemv& p, const WarpRows& rows, Eight* ring, int lane)
        : m_p(p), m_rows(rows), m_ring(ring + lane), m_lane(lane) {
        setRow();
    }
    /// The next batch, into the part of the ring that was asked for longest ago.
    __device__ void batch() {
#pragma unroll
        for (int u = 0; u < kBatch; ++u) {
            if (m_index == m_rows.count) break;
            const int column = m_unit * kUnit + m_lane * kLanes;
            fetch(m_ring + (m_slot + u) * 32, m_row + column, column < m_p.in);
            if (++m_unit < unitsOf(m_p)) continue;
            m_unit = 0;
            ++m_index;
            setRow();
        }
        m_slot = (m_slot + kBatch) % kRing;
        commitFetches();
    }

private:
    __device__ void setRow() {
        m_row =
            m_p.weight + (m_index < m_rows.count ? std::int64_t{m_rows.row(m_index)} * m_p.in : 0);
    }
    const Gemv& m_p;
    const WarpRows& m_rows;
    Eight* m_ring;
    const bf16* m_row = nullptr;
    int m_lane, m_index = 0, m_unit = 0, m_slot = 0;
};

__global__ void __launch_bounds__(kThreads, kBlocksPerMultiprocessor) gemvKernel(Gemv p) {
    // The next kernel's blocks come as this one's leave; what they ask for before their own wait
    // are weights, which do not depend on the vector.
    letNextStart();
    extern __shared__ __align__(16) unsigned char memory[];
    __shared__ float sums[kWarps];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    Eight* ring = reinterpret_cast<Eight*>(memory) + warp * kRing * 32;
    const Vector vector(p, memory + kRingBytes);
    const WarpRows rows(p);
    vector.fetchEarly(p);
    Feeder feeder(p, rows, ring, lane);
    for (int i = 0; i < kDepth; ++i)
        feeder.batch();
    waitForPrevious();
    vector.fetchAndNorm(p, sums);
    const Eight* x = reinterpret_cast<const Eight*>(vector.x) + lane;
    int index = 0, unit = 0, slot = 0;
    float sum = 0.0F, gate = 0.0F;
    while (index < rows.count) {
        waitForAllBut<kDepth - 1>();
#pragma unroll
        for (int u = 0; u < kBatch; ++u) {
            if (index == rows.count) break;
            sum = dot(ring[(slot + u) * 32 + lane], x[unit * 32], sum);
            if (++unit < unitsOf(p)) continue;
            sum = warpSum(sum);
            if (lane == 0) write(p, rows.row(index), sum, gate);
            sum = 0.0F;
            unit = 0;
            ++index;
        }
        slot = (slot + kBatch) % kRing;
        feeder.batch();
    }
}

__global__ void embedStepKernel(const StepState* state, const bf16* table, std::int64_t cols,
                                bf16* x) {
    const std::int64_t token =
        state->tokenAt != nullptr ? std::int64_t{*state->tokenAt} : std::int64_t{state->token};
    const bf16* from = table + token * cols;
    for (std::int64_t c = threadIdx.x * kLanes; c < cols; c += blockDim.x * kLanes)
        *reinterpret_cast<Eight*>(x + c) = *reinterpret_cast<const Eight*>(from + c);
}

} // namespace

cudaError_t gemvSm80(const Gemv& p, cudaStream_t s) {
    const cudaError_t allowed = cudaFuncSetAttribute(
        gemvKernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        static_cast<int>(kRingBytes + 2 * std::size_t{kGemvMostIn} * sizeof(bf16)));
    if (allowed != cudaSuccess) return allowed;
    return launchOverlapping(gemvKernel, {gemvGrid(p), kThreads, kRingBytes + Vector::bytes(p), s},
                             p);
}

cudaError_t embedStep(const StepState* state, const bf16* table, std::int64_t cols, bf16* x,
                      cudaStream_t s) {
    embedStepKernel<<<1, kThreads, 0, s>>>(state, table, cols, x);
    return cudaGetLastError();
}

} // namespace fkv::cuda
