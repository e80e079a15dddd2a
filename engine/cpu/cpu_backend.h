// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cpu/kernels.h"
#include "engine/ops/backend.h"
#include "engine/select/ranks.h"

#include <memory>
#include <vector>

namespace fkv {

/// Everything in fp32 in host memory, but weight matrices as the checkpoint stores them. Work is
/// cut into pieces whose size depends on shapes alone, so results are the same bits for any number
/// of threads.
class CpuBackend final : public ops::Backend {
public:
    explicit CpuBackend(int threads);

    const ops::DeviceInfo& info() const override { return m_info; }
    ops::BufferPtr allocate(std::size_t bytes, ops::Lifetime lifetime) override;
    std::int64_t availableBytes() override;
    void upload(const ops::View& to, const void* from) override;
    void uploadWeights(const ops::View& to, const void* from, DType fromType) override;
    void fillRandom(const ops::View& to, std::uint64_t seed, float scale) override;
    void readback(void* to, const ops::View& from) override;
    std::uint64_t deliver(std::span<const ops::Delivery> items) override;
    void awaitDelivery(std::uint64_t) override {}
    void copy(const ops::View& to, const ops::View& from) override;
    void synchronize() override {}
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

    ThreadPool& pool() override { return m_pool; }

private:
    /// What one thread needs while it computes a piece.
    struct Worker {
        std::vector<float> queries, scores, sums;
        std::vector<float> highest, total;
        std::vector<std::int32_t> seen, lowest;
        std::vector<float> panel, partial, widened, windowLogits;
        select::RankScratch rank;
    };
    /// Activations of head and decodeStep, for kStepRows rows.
    struct StepScratch {
        std::vector<float> x, normed, qkv, attended, gateUp, activated;
    };
    static constexpr std::int64_t kStepRows = 64;

    struct QueryBlock;
    void attend(const ops::AttentionParams& p, const QueryBlock& queries, Worker& worker) const;
    void multiplyPiece(const ops::LinearParams& p, std::int64_t row, std::int64_t column,
                       Worker& worker) const;
    void sumWindow(const ops::WindowSumsParams& p, std::int64_t head, Worker& worker) const;
    void sumShortWindow(const ops::WindowSumsParams& p, std::int64_t head, std::int64_t rowsAtOnce,
                        Worker& worker) const;
    void sumLongWindow(const ops::WindowSumsParams& p, std::int64_t head, Worker& worker) const;
    void decodeRows(const ops::DecodePlan& p, std::int64_t first, std::int64_t rows);

    ThreadPool m_pool;
    const cpu::Kernels& m_kernels = cpu::bestKernels();
    ops::DeviceInfo m_info;
    std::vector<Worker> m_workers;
    StepScratch m_step;
};

/// `threads` 0: one per processor.
std::unique_ptr<ops::Backend> makeCpuBackend(int threads);

}  // namespace fkv
