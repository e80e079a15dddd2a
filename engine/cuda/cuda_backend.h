// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cuda/blas.h"
#include "engine/cuda/cupti_tracer.h"
#include "engine/cuda/event_clock.h"
#include "engine/cuda/kernels/attention.cuh"
#include "engine/cuda/side_stream.h"
#include "engine/cuda/weight_staging.h"
#include "engine/ops/backend.h"

#include <cuda_runtime.h>
#include <memory>
#include <vector>

namespace fkv::cuda {

class Decoder;

/// Everything in bf16 with fp32 sums and scores, on one stream of one GPU, and a second for what
/// only the host reads. Ops enqueue; upload(), readback(), awaitDelivery() and synchronize() may
/// wait.
class CudaBackend final : public ops::Backend {
public:
    /// `device` is CUDA's ordinal. Throws Error{Unsupported} below compute capability 8.0.
    CudaBackend(int device, int threads);
    ~CudaBackend() override;

    const ops::DeviceInfo& info() const override { return m_info; }
    ops::BufferPtr allocate(std::size_t bytes, ops::Lifetime lifetime) override;
    ops::BufferPtr allocateOnHost(std::size_t bytes) override;
    std::int64_t availableBytes() override;
    void upload(const ops::View& to, const void* from) override;
    void uploadWeights(const ops::View& to, const void* from, DType fromType) override;
    void fillRandom(const ops::View& to, std::uint64_t seed, float scale) override;
    void readback(void* to, const ops::View& from) override;
    std::uint64_t deliver(std::span<const ops::Delivery> items) override;
    void awaitDelivery(std::uint64_t ticket) override;
    void copy(const ops::View& to, const ops::View& from) override;
    void synchronize() override;
    void reserve(const Extents& extents) override;

    void embed(const ops::EmbedParams& p) override;
    void rmsNorm(const ops::RmsNormParams& p) override;
    void linear(const ops::LinearParams& p) override;
    void ropeAppend(const ops::RopeAppendParams& p) override;
    void attention(const ops::AttentionParams& p) override;
    void swiglu(const ops::SwigluParams& p) override;
    void windowSums(const ops::WindowSumsParams& p) override;
    void saliency(const ops::SaliencyParams& p) override;
    void ranks(const ops::RanksParams& p) override;
    void gatherRows(const ops::GatherRowsParams& p) override;
    void gatherKv(const ops::GatherKvParams& p) override;
    void head(const ops::HeadParams& p) override;
    void argMax(const ops::ArgMaxParams& p) override;
    void decodeStep(const ops::DecodePlan& p) override;

    SpanClock* clock() override { return m_clock.get(); }
    std::string traceKernels(bool on) override;
    KernelTracer* kernelTracer() override { return m_tracer.get(); }
    ThreadPool& pool() override { return m_pool; }

private:
    struct Scratch;

    const std::int32_t* toDevice(std::span<const std::int32_t> values);
    void decodeRows(const ops::DecodePlan& p);

    ThreadPool m_pool;
    int m_device;
    ops::DeviceInfo m_info;
    int m_multiprocessors = 0;
    bool m_hopper = false;
    cudaStream_t m_stream = nullptr;
    cudaMemPool_t m_memory = nullptr; ///< the device's own
    std::unique_ptr<SideStream> m_side;
    std::unique_ptr<EventClock> m_clock;
    std::unique_ptr<CuptiTracer> m_tracer; ///< while kernels are traced
    std::unique_ptr<WeightStaging> m_staging; ///< from the first weights on
    std::unique_ptr<Blas> m_blas;
    std::unique_ptr<Scratch> m_scratch;
    std::unique_ptr<Decoder> m_decoder;
};

} // namespace fkv::cuda
