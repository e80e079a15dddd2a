// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/spans.h"
#include "engine/core/thread_pool.h"
#include "engine/ops/params.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fkv::ops {

struct DeviceInfo {
    std::string name;   ///< "CPU", or the GPU's name
    std::string cpu;    ///< processor model
    std::string blas;   ///< library and kernel
    std::string pciBusId; ///< of a GPU, as its driver's tools know it; else empty
    int threads = 0;
    std::size_t memoryBytes = 0;
    DType weightType = DType::F32; ///< what activations, norms, biases and matrices are held in
    /// Weight matrices may also be F16 or BF16, as the checkpoint has them: half the memory, and
    /// the same bits as after widening them. Sums are fp32 either way.
    bool matricesAsStored = false;
    std::vector<std::int32_t> headSizes; ///< that attention takes; empty: all
    std::int32_t widthMultiple = 1;      ///< hidden and MLP widths are multiples of it
    bool plansOnly = false;  ///< buffers have no memory, see makePlanningBackend()
    bool hostMemory = true;  ///< buffers lie in the host's memory, which planes on the host share
    DType kvType = DType::F32;
    /// Rows that prefill runs at once inside a layer: a constant of the backend, never tuned, so that
    /// two runs give the same bits.
    std::int64_t chunkRows = 512;
    /// Pairs of a row and a key that one attention op takes at most: between ops a pass can be held
    /// or stopped, and a GPU needs all rows at once to be full.
    std::int64_t attentionPairs = std::int64_t{1} << 21;

    bool isGpu() const { return !pciBusId.empty(); }
};

/// Every operation the method needs, at fused grain, device-free. Ops enqueue and return nothing;
/// results are read through readback(). Checks happen once, at the boundary (ops/validate.h); below it
/// kernels get raw pointers and extents. An op allocates nothing: scratch belongs to the backend and
/// grows only in reserve().
class Backend {
public:
    virtual ~Backend() = default;
    virtual const DeviceInfo& info() const = 0;

    /// Throws Error{OutOfMemory}. Contents are undefined.
    virtual BufferPtr allocate(std::size_t bytes, Lifetime lifetime) = 0;
    /// Memory of the host that ops and copies reach like the backend's own, over the bus: for what is
    /// rarely read. Throws as allocate() does, which it is on the CPU.
    virtual BufferPtr allocateOnHost(std::size_t bytes) {
        return allocate(bytes, Lifetime::Session);
    }
    /// What allocate() could hand out now, beside what it has; others may take it meanwhile. 0: not
    /// known.
    virtual std::int64_t availableBytes() = 0;
    /// Host to backend, contiguous rows x cols of the view's dtype. The host memory is free on return.
    virtual void upload(const View& to, const void* from) = 0;
    /// Checkpoint weights (F32, F16 or BF16, maybe unaligned) to the type of the view: the
    /// backend's weight type, or fromType where matricesAsStored. The host memory is free on return.
    virtual void uploadWeights(const View& to, const void* from, DType fromType) = 0;
    /// Normal values of standard deviation `scale`, made where they are needed: the same seed gives
    /// the same values on the same kind of backend. `to` is contiguous, of a type that weights may
    /// have.
    virtual void fillRandom(const View& to, std::uint64_t seed, float scale) = 0;
    /// Backend to host; complete after synchronize().
    virtual void readback(void* to, const View& from) = 0;
    /// Starts to bring results to the host beside the ops that follow, and returns a ticket; 0: they
    /// are there already. Until awaitDelivery(ticket) `to` is not filled, and no op may write `from`.
    /// At most two are under way at a time; one that nobody awaits is dropped, and writes nothing.
    virtual std::uint64_t deliver(std::span<const Delivery> items) = 0;
    virtual void awaitDelivery(std::uint64_t ticket) = 0;
    /// Between views that do not overlap.
    virtual void copy(const View& to, const View& from) = 0;
    virtual void synchronize() = 0;
    /// Grows scratch for calls of at most these extents, so that ops allocate nothing.
    struct Extents {
        std::int64_t rows, tokens, queryHeads, kvHeads, headDim, hidden, intermediate, vocabulary;
    };
    virtual void reserve(const Extents& extents) = 0;

    virtual void embed(const EmbedParams& p) = 0;
    virtual void rmsNorm(const RmsNormParams& p) = 0;
    virtual void linear(const LinearParams& p) = 0;
    virtual void ropeAppend(const RopeAppendParams& p) = 0;
    virtual void attention(const AttentionParams& p) = 0;
    virtual void swiglu(const SwigluParams& p) = 0;
    virtual void windowSums(const WindowSumsParams& p) = 0;
    virtual void saliency(const SaliencyParams& p) = 0;
    virtual void ranks(const RanksParams& p) = 0;
    virtual void gatherRows(const GatherRowsParams& p) = 0;
    virtual void gatherKv(const GatherKvParams& p) = 0;
    virtual void head(const HeadParams& p) = 0;
    virtual void argMax(const ArgMaxParams& p) = 0;
    virtual void decodeStep(const DecodePlan& p) = 0;

    /// What passes are timed by; null: ops are done when they return, so the host's clock serves.
    virtual SpanClock* clock() { return nullptr; }

    /// Begins or ends to look below spans: kernelTracer() is null else. Returns why it cannot be done,
    /// in some words, or nothing.
    virtual std::string traceKernels(bool on) {
        return on ? "the CPU runs none" : std::string();
    }
    virtual KernelTracer* kernelTracer() { return nullptr; }

    /// Host threads this backend computes with, for work on planes between ops.
    virtual ThreadPool& pool() = 0;
};

/// "auto", "cpu", "cuda:N". Throws Error{Unsupported} in a build or on a machine without that device.
struct DeviceSpec {
    std::string name = "auto";
    int threads = 0;  ///< 0: one per processor
};
std::unique_ptr<Backend> makeBackend(const DeviceSpec& spec);
/// Names a user may choose here, "cpu" first.
std::vector<std::string> availableDevices();

}  // namespace fkv::ops
