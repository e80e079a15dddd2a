// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/planning_backend.h"

#include "engine/core/error.h"

#include <utility>

namespace fkv::ops {

namespace {

/// An address of its own that nobody reads.
class PlannedBuffer final : public Buffer {
public:
    explicit PlannedBuffer(std::size_t bytes) : m_bytes(bytes) {}
    void* data() const override { return &m_place; }
    std::size_t bytes() const override { return m_bytes; }

private:
    std::size_t m_bytes;
    mutable std::byte m_place{};
};

class PlanningBackend final : public Backend {
public:
    explicit PlanningBackend(DeviceInfo device) : m_info(std::move(device)) {
        m_info.plansOnly = true;
    }
    const DeviceInfo& info() const override { return m_info; }
    BufferPtr allocate(std::size_t bytes, Lifetime) override {
        return std::make_shared<PlannedBuffer>(bytes);
    }
    std::int64_t availableBytes() override {
        return static_cast<std::int64_t>(m_info.memoryBytes);
    }
    void upload(const View&, const void*) override {}
    void uploadWeights(const View&, const void*, DType) override {}
    void fillRandom(const View&, std::uint64_t, float) override {}
    void readback(void*, const View&) override { refuse(); }
    std::uint64_t deliver(std::span<const Delivery>) override { refuse(); }
    void awaitDelivery(std::uint64_t) override {}
    void copy(const View&, const View&) override {}
    void synchronize() override {}
    void reserve(const Extents&) override {}
    void embed(const EmbedParams&) override { refuse(); }
    void rmsNorm(const RmsNormParams&) override { refuse(); }
    void linear(const LinearParams&) override { refuse(); }
    void ropeAppend(const RopeAppendParams&) override { refuse(); }
    void attention(const AttentionParams&) override { refuse(); }
    void swiglu(const SwigluParams&) override { refuse(); }
    void windowSums(const WindowSumsParams&) override { refuse(); }
    void saliency(const SaliencyParams&) override { refuse(); }
    void ranks(const RanksParams&) override { refuse(); }
    void gatherRows(const GatherRowsParams&) override { refuse(); }
    void gatherKv(const GatherKvParams&) override { refuse(); }
    void head(const HeadParams&) override { refuse(); }
    void argMax(const ArgMaxParams&) override { refuse(); }
    void decodeStep(const DecodePlan&) override { refuse(); }
    ThreadPool& pool() override { return m_pool; }

private:
    [[noreturn]] static void refuse() {
        throw Error(ErrorCode::Internal, "a plan of a device computes nothing");
    }
    DeviceInfo m_info;
    ThreadPool m_pool{1};
};

} // namespace

DeviceInfo cpuTraits() {
    DeviceInfo device;
    device.name = "CPU";
    device.matricesAsStored = true;
    return device;
}

DeviceInfo gpuTraits() {
    DeviceInfo device;
    device.name = "GPU";
    device.hostMemory = false;
    device.attentionPairs = std::int64_t{1} << 40;
    device.chunkRows = 8192; // enough rows for a product to fill the GPU
    device.weightType = DType::BF16;
    device.kvType = DType::BF16;
    device.headSizes = {32, 64, 128};
    device.widthMultiple = 8; // 16-byte accesses
    return device;
}

std::unique_ptr<Backend> makePlanningBackend(DeviceInfo device) {
    return std::make_unique<PlanningBackend>(std::move(device));
}

} // namespace fkv::ops
