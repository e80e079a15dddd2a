// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"
#include "engine/ops/backend.h"

#include <memory>
#include <utility>

namespace fkv::testing {

/// When memory runs out, or the device fails. Outlives the backend that follows it.
struct Shortage {
    ErrorCode code = ErrorCode::OutOfMemory;
    std::int64_t failAt = 0;         ///< the allocation that fails, counted from 1; 0: none
    std::int64_t asked = 0;          ///< allocations so far
    std::int64_t availableBytes = 0; ///< what the backend says is left; 0: what it has
    bool ofItsOwn = false;           ///< the backend says that its memory is not the host's

    void restart(std::int64_t k) { failAt = k, asked = 0; }
    void count() {
        if (++asked == failAt) throw Error(code, "an allocation failed in a test");
    }
};

/// Another backend, of which some allocation fails.
class FailingBackend final : public ops::Backend {
public:
    FailingBackend(std::unique_ptr<ops::Backend> backend, Shortage& shortage)
        : m_backend(std::move(backend)), m_shortage(shortage), m_info(m_backend->info()) {
        if (shortage.ofItsOwn) m_info.hostMemory = false;
    }

    const ops::DeviceInfo& info() const override { return m_info; }
    ops::BufferPtr allocate(std::size_t bytes, ops::Lifetime lifetime) override {
        m_shortage.count();
        return m_backend->allocate(bytes, lifetime);
    }
    ops::BufferPtr allocateOnHost(std::size_t bytes) override {
        m_shortage.count();
        return m_backend->allocateOnHost(bytes);
    }
    void reserve(const Extents& extents) override {
        m_shortage.count();
        m_backend->reserve(extents);
    }
    std::int64_t availableBytes() override {
        const std::int64_t said = m_shortage.availableBytes;
        return said > 0 ? said : m_backend->availableBytes();
    }
    void upload(const ops::View& to, const void* from) override { m_backend->upload(to, from); }
    void uploadWeights(const ops::View& to, const void* from, DType type) override {
        m_backend->uploadWeights(to, from, type);
    }
    void fillRandom(const ops::View& to, std::uint64_t seed, float scale) override {
        m_backend->fillRandom(to, seed, scale);
    }
    void readback(void* to, const ops::View& from) override { m_backend->readback(to, from); }
    std::uint64_t deliver(std::span<const ops::Delivery> items) override {
        return m_backend->deliver(items);
    }
    void awaitDelivery(std::uint64_t ticket) override { m_backend->awaitDelivery(ticket); }
    void copy(const ops::View& to, const ops::View& from) override { m_backend->copy(to, from); }
    void synchronize() override { m_backend->synchronize(); }

    void embed(const ops::EmbedParams& p) override { m_backend->embed(p); }
    void rmsNorm(const ops::RmsNormParams& p) override { m_backend->rmsNorm(p); }
    void linear(const ops::LinearParams& p) override { m_backend->linear(p); }
    void ropeAppend(const ops::RopeAppendParams& p) override { m_backend->ropeAppend(p); }
    void attention(const ops::AttentionParams& p) override { m_backend->attention(p); }
    void swiglu(const ops::SwigluParams& p) override { m_backend->swiglu(p); }
    void windowSums(const ops::WindowSumsParams& p) override { m_backend->windowSums(p); }
    void saliency(const ops::SaliencyParams& p) override { m_backend->saliency(p); }
    void ranks(const ops::RanksParams& p) override { m_backend->ranks(p); }
    void gatherRows(const ops::GatherRowsParams& p) override { m_backend->gatherRows(p); }
    void gatherKv(const ops::GatherKvParams& p) override { m_backend->gatherKv(p); }
    void head(const ops::HeadParams& p) override { m_backend->head(p); }
    void argMax(const ops::ArgMaxParams& p) override { m_backend->argMax(p); }
    void decodeStep(const ops::DecodePlan& p) override { m_backend->decodeStep(p); }

    SpanClock* clock() override { return m_backend->clock(); }
    std::string traceKernels(bool on) override { return m_backend->traceKernels(on); }
    KernelTracer* kernelTracer() override { return m_backend->kernelTracer(); }
    ThreadPool& pool() override { return m_backend->pool(); }

private:
    std::unique_ptr<ops::Backend> m_backend;
    Shortage& m_shortage;
    ops::DeviceInfo m_info;
};

} // namespace fkv::testing
