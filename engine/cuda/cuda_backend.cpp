// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_backend.h"

#include "engine/cuda/backend_scratch.h"
#include "engine/cuda/check.h"
#include "engine/cuda/decoder.h"
#include "engine/cuda/kernels/rows.cuh"
#include "engine/cuda/kernels/scores.cuh"
#include "engine/cuda/make_cuda.h"
#include "engine/ops/planning_backend.h"
#include "engine/ops/validate.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace fkv::cuda {

namespace {

using bf16 = __nv_bfloat16;

/// Stream-ordered memory: freeing waits for nobody, and the pool keeps what it has.
class DeviceBuffer final : public ops::Buffer {
public:
    DeviceBuffer(std::size_t bytes, cudaStream_t stream, SideStream& side)
        : m_bytes(bytes), m_stream(stream), m_side(side) {
        check(cudaMallocAsync(&m_data, std::max<std::size_t>(bytes, 1), stream),
              (std::to_string(bytes >> 20U) + " MiB").c_str());
    }
    ~DeviceBuffer() override {
        // A pass that was stopped may have left work there that reads or writes this.
        m_side.holdMain();
        cudaFreeAsync(m_data, m_stream);
    }
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;
    void* data() const override { return m_data; }
    std::size_t bytes() const override { return m_bytes; }

private:
    void* m_data = nullptr;
    std::size_t m_bytes;
    cudaStream_t m_stream;
    SideStream& m_side;
};

/// Pinned, and at the same address for kernels.
class PinnedBuffer final : public ops::Buffer {
public:
    PinnedBuffer(std::size_t bytes, cudaStream_t stream) : m_bytes(bytes), m_stream(stream) {
        check(cudaHostAlloc(&m_data, std::max<std::size_t>(bytes, 1), cudaHostAllocMapped),
              (std::to_string(bytes >> 20U) + " MiB of pinned memory").c_str());
    }
    ~PinnedBuffer() override {
        // Freeing is not ordered behind the work that is queued on it.
        cudaStreamSynchronize(m_stream);
        cudaFreeHost(m_data);
    }
    PinnedBuffer(const PinnedBuffer&) = delete;
    PinnedBuffer& operator=(const PinnedBuffer&) = delete;
    void* data() const override { return m_data; }
    std::size_t bytes() const override { return m_bytes; }

private:
    void* m_data = nullptr;
    std::size_t m_bytes;
    cudaStream_t m_stream;
};

Rows rowsOf(const ops::View& v) {
    return {v.as<bf16>(), v.rows, v.cols, v.stride};
}

std::size_t rowBytes(const ops::View& v) {
    return static_cast<std::size_t>(v.cols) * sizeOf(v.dtype);
}
std::size_t pitch(const ops::View& v) {
    return static_cast<std::size_t>(v.stride) * sizeOf(v.dtype);
}

Attention::Range rangeOf(const ops::KvRange& r) {
    Attention::Range range{r.kv.keys, r.kv.values, r.kv.capacity, r.kv.length, r.causalOffset};
    range.window = static_cast<int>(std::min<std::int64_t>(r.window, Attention::kNoWindow));
    range.positions = r.positions.as<const std::int32_t>();
    range.positionStride = r.positions.rows == 1 ? 0 : r.positions.stride;
    return range;
}

} // namespace

CudaBackend::CudaBackend(int device, int threads) : m_pool(threads), m_device(device) {
    check(cudaSetDevice(device), "choosing the device");
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "asking the device");
    if (properties.major < 8)
        throw Error(ErrorCode::Unsupported,
                    std::string(properties.name) + " has compute capability " +
                        std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                        ", 8.0 is needed");
    m_multiprocessors = properties.multiProcessorCount;
    m_hopper = properties.major == 9;
    m_info = ops::gpuTraits();
    m_info.name = properties.name;
    char pciBusId[32] = {};
    check(cudaDeviceGetPCIBusId(pciBusId, sizeof pciBusId, device), "asking the device");
    m_info.pciBusId = pciBusId;
    m_info.blas = "cuBLASLt " + std::to_string(cublasLtGetVersion());
    m_info.threads = m_pool.threads();
    m_info.memoryBytes = properties.totalGlobalMem;
    check(cudaStreamCreateWithFlags(&m_stream, cudaStreamNonBlocking), "a stream");
    check(cudaDeviceGetDefaultMemPool(&m_memory, device), "the memory pool");
    std::uint64_t keep = UINT64_MAX;
    check(cudaMemPoolSetAttribute(m_memory, cudaMemPoolAttrReleaseThreshold, &keep),
          "the memory pool");
    m_side = std::make_unique<SideStream>(m_stream);
    m_clock = std::make_unique<EventClock>(m_stream, *m_side);
    m_blas = std::make_unique<Blas>();
    m_scratch = std::make_unique<Scratch>();
    m_decoder = std::make_unique<Decoder>(m_stream, m_hopper);
}

CudaBackend::~CudaBackend() {
    const bool broken = cudaStreamSynchronize(m_stream) != cudaSuccess;
    m_decoder.reset();
    m_clock.reset();
    m_scratch.reset();
    m_blas.reset();
    m_staging.reset();
    m_side.reset();
    cudaStreamDestroy(m_stream);
    // What a fault leaves of a context fails every call: whoever comes next gets a new one.
    if (broken) cudaDeviceReset();
}

ops::BufferPtr CudaBackend::allocate(std::size_t bytes, ops::Lifetime) {
    return std::make_shared<DeviceBuffer>(bytes, m_stream, *m_side);
}

ops::BufferPtr CudaBackend::allocateOnHost(std::size_t bytes) {
    return std::make_shared<PinnedBuffer>(bytes, m_stream);
}

/// What nobody has, and what the pool keeps for us and does not use.
std::int64_t CudaBackend::availableBytes() {
    // Frees that are still queued would count as used.
    synchronize();
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "asking for free memory");
    std::uint64_t reserved = 0, used = 0;
    check(cudaMemPoolGetAttribute(m_memory, cudaMemPoolAttrReservedMemCurrent, &reserved),
          "the memory pool");
    check(cudaMemPoolGetAttribute(m_memory, cudaMemPoolAttrUsedMemCurrent, &used),
          "the memory pool");
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(free + (reserved - std::min(used, reserved))));
}

void CudaBackend::upload(const ops::View& to, const void* from) {
    if (to.elements() == 0) return;
    check(cudaMemcpy2DAsync(to.data, pitch(to), from, rowBytes(to), rowBytes(to),
                            static_cast<std::size_t>(to.rows), cudaMemcpyHostToDevice, m_stream),
          "upload");
    check(cudaStreamSynchronize(m_stream), "upload");
}

void CudaBackend::readback(void* to, const ops::View& from) {
    if (from.elements() == 0) return;
    check(cudaMemcpy2DAsync(to, rowBytes(from), from.data, pitch(from), rowBytes(from),
                            static_cast<std::size_t>(from.rows), cudaMemcpyDeviceToHost, m_stream),
          "readback");
}

std::uint64_t CudaBackend::deliver(std::span<const ops::Delivery> items) {
    return m_side->deliver(items);
}

void CudaBackend::awaitDelivery(std::uint64_t ticket) {
    m_side->await(ticket, m_pool);
}

void CudaBackend::copy(const ops::View& to, const ops::View& from) {
    ops::validateCopy(to, from);
    if (from.elements() == 0) return;
    const bool whole = pitch(to) == rowBytes(to) && pitch(from) == rowBytes(from);
    if (whole) {
        // One stretch is copied at the memory's rate, a pitched one is not.
        const std::size_t bytes = rowBytes(from) * static_cast<std::size_t>(from.rows);
        check(cudaMemcpyAsync(to.data, from.data, bytes, cudaMemcpyDefault, m_stream), "copy");
        return;
    }
    check(cudaMemcpy2DAsync(to.data, pitch(to), from.data, pitch(from), rowBytes(from),
                            static_cast<std::size_t>(from.rows), cudaMemcpyDefault, m_stream),
          "copy");
}

void CudaBackend::synchronize() {
    check(cudaStreamSynchronize(m_stream), "the run");
    m_side->synchronize();
}

void CudaBackend::reserve(const Extents& e) {
    const auto sums = windowSumsScratch(e.tokens, 64, static_cast<int>(e.queryHeads));
    m_scratch->norm.atLeast(static_cast<std::size_t>(64 * e.hidden) * sizeof(bf16));
    // The widest window is rare; the usual one is reserved, more is grown when asked for.
    const std::size_t sort = ranksScratch(e.kvHeads + 1, e.tokens);
    m_scratch->select.atLeast(std::max(sums / 8, sort));
    m_scratch->aside.atLeast(sort);
}

const std::int32_t* CudaBackend::toDevice(std::span<const std::int32_t> values) {
    return values.empty() ? nullptr : m_scratch->ring.put(values, m_stream);
}

void CudaBackend::embed(const ops::EmbedParams& p) {
    ops::validate(p, m_info);
    check(cuda::gatherRows(rowsOf(p.table), toDevice(p.ids), rowsOf(p.out), m_stream), "embed");
}

void CudaBackend::rmsNorm(const ops::RmsNormParams& p) {
    ops::validate(p, m_info);
    check(cuda::rmsNorm(rowsOf(p.x), p.weight.as<bf16>(), p.eps, rowsOf(p.out), m_stream),
          "rmsNorm");
}

void CudaBackend::linear(const ops::LinearParams& p) {
    ops::validate(p, m_info);
    m_blas->multiply({p.x.data, p.x.stride, p.weight.data, p.weight.stride, p.bias.data, p.out.data,
                      p.out.stride, p.x.rows, p.x.cols, p.out.cols, p.out.dtype == DType::F32,
                      p.accumulate},
                     m_stream);
}

void CudaBackend::ropeAppend(const ops::RopeAppendParams& p) {
    ops::validate(p, m_info);
    check(cuda::ropeAppend({rowsOf(p.qkv), toDevice(p.positions), p.cosTable.as<float>(),
                            p.sinTable.as<float>(), p.queryHeads, p.cache.kvHeads, p.cache.headDim,
                            static_cast<bf16*>(p.cache.keys), static_cast<bf16*>(p.cache.values),
                            p.cache.capacity, p.at, p.queryNorm.as<bf16>(), p.keyNorm.as<bf16>(),
                            p.eps},
                           m_stream),
          "ropeAppend");
}

void CudaBackend::attention(const ops::AttentionParams& p) {
    ops::validate(p, m_info);
    if (p.queries.rows == 0) return;
    Attention a{p.queries.data, p.out.data};
    a.queryStride = p.queries.stride;
    a.outStride = p.out.stride;
    a.rows = p.queries.rows;
    a.queryHeads = static_cast<int>(p.queryHeads);
    a.headDim = static_cast<int>(p.queries.cols / p.queryHeads);
    a.scale = p.scale;
    a.multiprocessors = m_multiprocessors;
    a.rangeCount = 0;
    for (int i = 0; i < p.rangeCount; ++i) {
        const ops::KvRange& range = p.ranges[static_cast<std::size_t>(i)];
        if (range.kv.length == 0) continue;
        a.kvHeads = static_cast<int>(range.kv.kvHeads);
        Attention::Range& to = a.ranges[a.rangeCount++];
        to = rangeOf(range);
        to.visibleRows = toDevice(range.visibleRows);
        to.firstRows = toDevice(range.firstRows);
    }
    if (a.rangeCount == 0) {
        // Rows that see nothing give zeros.
        check(cudaMemset2DAsync(p.out.data, pitch(p.out), 0, rowBytes(p.out),
                                static_cast<std::size_t>(p.out.rows), m_stream),
              "attention");
        return;
    }
#ifdef FKV_SM90
    if (m_hopper) return check(attentionSm90(a, m_stream), "attention");
#endif
    check(attentionSm80(a, m_stream), "attention");
}

void CudaBackend::swiglu(const ops::SwigluParams& p) {
    ops::validate(p, m_info);
    check(cuda::swiglu(rowsOf(p.gateUp), rowsOf(p.out), m_stream), "swiglu");
}

void CudaBackend::windowSums(const ops::WindowSumsParams& p) {
    ops::validate(p, m_info);
    if (p.out.cols == 0) return;
    const int window = static_cast<int>(p.queries.rows), heads = static_cast<int>(p.queryHeads);
    void* scratch = m_scratch->select.atLeast(windowSumsScratch(p.keys.length, window, heads));
    check(cuda::windowSums({p.queries.as<bf16>(), p.queries.stride,
                            static_cast<const bf16*>(p.keys.keys), p.keys.capacity, p.keys.length,
                            window, heads, static_cast<int>(p.keys.kvHeads),
                            static_cast<int>(p.keys.headDim), p.scale, p.out.as<float>(),
                            p.out.stride, scratch, toDevice(p.firstRows)},
                           m_stream),
          "windowSums");
}

void CudaBackend::saliency(const ops::SaliencyParams& p) {
    ops::validate(p, m_info);
    check(cuda::saliency({p.windowSums.as<float>(), static_cast<int>(p.windowSums.rows),
                          static_cast<int>(p.kvHeads), p.kernel, p.average, p.windowSums.cols,
                          p.saliency.as<float>(), p.total.as<float>(), p.firstCandidate},
                         m_stream),
          "saliency");
}

void CudaBackend::ranks(const ops::RanksParams& p) {
    ops::validate(p, m_info);
    if (p.scores.elements() == 0) return;
    GrowingBuffer& memory = p.forDelivery ? m_scratch->aside : m_scratch->select;
    void* scratch = memory.atLeast(ranksScratch(p.scores.rows, p.scores.cols));
    check(cuda::ranks({p.scores.as<float>(), p.ranks.as<std::uint32_t>(), p.scores.rows,
                       p.scores.cols, scratch},
                      p.forDelivery ? m_side->afterMain() : m_stream),
          "ranks");
}

void CudaBackend::gatherRows(const ops::GatherRowsParams& p) {
    ops::validate(p, m_info);
    check(cuda::gatherRows(rowsOf(p.x), toDevice(p.index), rowsOf(p.out), m_stream), "gatherRows");
}

void CudaBackend::gatherKv(const ops::GatherKvParams& p) {
    ops::validate(p, m_info);
    check(cuda::gatherKv({static_cast<const bf16*>(p.from.keys),
                          static_cast<const bf16*>(p.from.values), p.ranks.as<std::uint32_t>(),
                          static_cast<bf16*>(p.out.keys), static_cast<bf16*>(p.out.values),
                          p.from.kvHeads, p.from.headDim, p.ranks.cols, p.ranks.stride,
                          p.from.capacity, p.out.capacity, p.count,
                          p.fromPositions.as<const std::int32_t>(), p.positions.as<std::int32_t>(),
                          p.positions.stride},
                         m_stream),
          "gatherKv");
}

void CudaBackend::head(const ops::HeadParams& p) {
    ops::validate(p, m_info);
    if (p.x.rows == 0) return;
    ops::View normed{
        m_scratch->norm.atLeast(static_cast<std::size_t>(p.x.elements()) * sizeof(bf16)),
        DType::BF16, p.x.rows, p.x.cols, p.x.cols};
    rmsNorm({p.x, p.norm, p.eps, normed});
    linear({normed, p.lmHead, {}, p.logits, false});
}

std::string CudaBackend::traceKernels(bool on) {
    if (!on) m_tracer.reset();
    if (!on || m_tracer) return {};
    CuptiTracer::Opened opened = CuptiTracer::open();
    m_tracer = std::move(opened.tracer);
    return opened.refusal;
}

int deviceCount() {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess) {
        cudaGetLastError();
        return 0;
    }
    return count;
}

bool anyDevice() {
    return deviceCount() > 0;
}

std::unique_ptr<ops::Backend> makeCudaBackend(int device, int threads) {
    if (device < 0 || device >= deviceCount())
        throw Error(ErrorCode::Unsupported, "there is no device cuda:" + std::to_string(device),
                    "Run on the CPU with --device cpu.");
    return std::make_unique<CudaBackend>(device, threads);
}

} // namespace fkv::cuda
