// SPDX-License-Identifier: Apache-2.0
// Results that come to the host beside the ops that follow: the same bits as on the CPU, whatever the
// main stream does meanwhile, and nothing is written for a delivery that nobody awaits.
#include "engine/cpu/cpu_backend.h"
#include "engine/cuda/make_cuda.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace fkv;
using namespace fkv::ops;

namespace {

constexpr std::int64_t kRows = 9, kTokens = 40001;

class CudaDelivery : public ::testing::Test {
protected:
    void SetUp() override {
        if (!cuda::anyDevice()) GTEST_SKIP() << "no CUDA device on this machine";
        gpu = cuda::makeCudaBackend(0, 0);
        gpu->reserve({2048, kTokens, 32, 8, 128, 512, 1024, 2048});
        std::mt19937 engine(7);
        std::normal_distribution<float> normal;
        scores.resize(static_cast<std::size_t>(kRows * kTokens));
        std::generate(scores.begin(), scores.end(), [&] { return normal(engine); });
    }
    View make(std::int64_t rows, std::int64_t cols, DType type) {
        const auto bytes = static_cast<std::size_t>(rows * cols) * sizeOf(type);
        buffers.push_back(gpu->allocate(bytes, Lifetime::Scratch));
        return {buffers.back()->data(), type, rows, cols, cols};
    }
    std::vector<std::uint32_t> ranksOnCpu() {
        const auto cpu = makeCpuBackend(0);
        std::vector<std::uint32_t> ranks(scores.size());
        cpu->ranks({{scores.data(), DType::F32, kRows, kTokens, kTokens},
                    {ranks.data(), DType::U32, kRows, kTokens, kTokens}});
        return ranks;
    }
    /// Keeps the main stream busy for a while.
    void work() {
        const View x = make(4096, 4096, DType::BF16), out = make(4096, 4096, DType::BF16);
        gpu->fillRandom(x, 1, 0.1F);
        for (int i = 0; i < 10; ++i)
            gpu->linear({x, x, {}, out, false});
    }

    std::unique_ptr<Backend> gpu;
    std::vector<float> scores;
    std::vector<BufferPtr> buffers;
};

} // namespace

TEST_F(CudaDelivery, RanksAndCopiesBesideOtherWork) {
    const View device = make(kRows, kTokens, DType::F32);
    const std::vector<std::uint32_t> want = ranksOnCpu();
    std::array<std::vector<std::uint32_t>, 2> got;
    std::array<std::vector<float>, 2> back;
    std::array<std::uint64_t, 2> tickets{};
    gpu->upload(device, scores.data());
    work(); // what is delivered comes after what was enqueued
    for (std::size_t i = 0; i < 2; ++i) {
        const View ranks = make(kRows, kTokens, DType::U32);
        got[i].assign(scores.size(), 0xDEADU);
        back[i].assign(scores.size(), -1.0F);
        gpu->ranks({device, ranks, true});
        tickets[i] = gpu->deliver(std::array<Delivery, 2>{{{got[i].data(), ranks},
                                                           {back[i].data(), device}}});
        work();
    }
    for (std::size_t i = 0; i < 2; ++i) {
        gpu->awaitDelivery(tickets[i]);
        EXPECT_EQ(got[i], want);
        EXPECT_EQ(back[i], scores);
    }
}

TEST_F(CudaDelivery, OneThatNobodyAwaitsWritesNothing) {
    std::vector<float> dropped(scores.size(), -1.0F), last(scores.size());
    {
        const View device = make(kRows, kTokens, DType::F32);
        gpu->upload(device, scores.data());
        gpu->deliver(std::array<Delivery, 1>{{{dropped.data(), device}}});
        buffers.clear(); // as a pass does that is stopped
    }
    const View device = make(kRows, kTokens, DType::F32);
    gpu->upload(device, scores.data());
    std::uint64_t ticket = 0;
    for (int i = 0; i < 3; ++i)
        ticket = gpu->deliver(std::array<Delivery, 1>{{{last.data(), device}}});
    gpu->awaitDelivery(ticket);
    gpu->awaitDelivery(ticket); // once more is harmless
    EXPECT_EQ(last, scores);
    EXPECT_TRUE(std::all_of(dropped.begin(), dropped.end(), [](float v) { return v == -1.0F; }));
}
