// SPDX-License-Identifier: Apache-2.0
// Weights as checkpoints store them, and the kernels of every instruction set that runs here.
#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/kernels.h"
#include "engine/trace/window_sums.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace fkv;
using namespace fkv::ops;

namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

Floats noise(std::int64_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    Floats out(static_cast<std::size_t>(n));
    for (float& v : out)
        v = normal(engine);
    return out;
}

View view(Floats& v, std::int64_t rows, std::int64_t cols) {
    return {v.data(), DType::F32, rows, cols, cols};
}

std::unique_ptr<Backend> backend() {
    auto made = makeCpuBackend(2);
    made->reserve({2000, 2000, 6, 3, 16, 40, 50, 300});
    return made;
}

} // namespace

// Halves in memory give the bits of the same weights widened first.
TEST(StoredWeights, HalvesGiveTheBitsOfWidenedWeights) {
    for (const DType type : {DType::BF16, DType::F16})
        for (const std::int64_t rows : {1, 2, 17, 300})
            for (const std::int64_t in : {5, 37, 256, 291}) {
                const std::int64_t cols = 291;
                Floats x = noise(rows * in, 1), bias = noise(cols, 3), w = noise(cols * in, 2);
                std::vector<std::uint16_t> stored;
                for (std::size_t i = 0; i < w.size(); ++i) {
                    // Also what is small, zero, or below normal.
                    if (i % 11 == 0) w[i] *= 1e-5F;
                    if (i % 13 == 0) w[i] *= 1e-3F;
                    stored.push_back(type == DType::F16
                                         ? trace::floatToHalf(w[i])
                                         : std::uint16_t(std::bit_cast<std::uint32_t>(w[i]) >> 16));
                    w[i] = type == DType::F16
                               ? trace::halfToFloat(stored[i])
                               : std::bit_cast<float>(std::uint32_t(stored[i]) << 16);
                }
                Floats one(std::size_t(rows * cols), 0.5F), two = one;
                auto cpu = backend();
                LinearParams p{view(x, rows, in), view(w, cols, in), view(bias, 1, cols),
                               view(one, rows, cols), true};
                cpu->linear(p);
                p.weight = {stored.data(), type, cols, in, in};
                p.out = view(two, rows, cols);
                cpu->linear(p);
                ASSERT_EQ(one, two) << rows << " x " << in;
                const Ints ids{7, 0, 290};
                Floats a(std::size_t(3 * in), NAN), b = a;
                cpu->embed({ids, view(w, cols, in), view(a, 3, in)});
                cpu->embed({ids, p.weight, view(b, 3, in)});
                ASSERT_EQ(a, b);
            }
}

class EveryKernel : public ::testing::TestWithParam<const cpu::Kernels*> {};

TEST_P(EveryKernel, WidensEveryHalfExactly) {
    std::vector<std::uint16_t> all(65536);
    std::iota(all.begin(), all.end(), std::uint16_t{0});
    Floats wide(all.size());
    const cpu::Kernels& kernels = *GetParam();
    kernels.widen(all.data(), cpu::Stored::F16, wide.data(), 65536);
    Floats single(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        kernels.widen(&all[i], cpu::Stored::F16, &single[i], 1);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const float want = trace::halfToFloat(all[i]);
        if (std::isnan(want)) {
            EXPECT_TRUE(std::isnan(wide[i]) && std::isnan(single[i])) << i;
            continue;
        }
        ASSERT_EQ(std::bit_cast<std::uint32_t>(wide[i]), std::bit_cast<std::uint32_t>(want)) << i;
        ASSERT_EQ(std::bit_cast<std::uint32_t>(single[i]), std::bit_cast<std::uint32_t>(want)) << i;
    }
    kernels.widen(all.data(), cpu::Stored::BF16, wide.data(), 65536);
    for (std::size_t i = 0; i < all.size(); ++i)
        ASSERT_EQ(std::bit_cast<std::uint32_t>(wide[i]), std::uint32_t(i) << 16U);
}

TEST_P(EveryKernel, DotsOfHalvesAreThoseOfFloats) {
    const std::int64_t rows = 7, depth = 83;
    Floats x = noise(depth, 1);
    std::vector<std::uint16_t> stored;
    for (const float v : noise(rows * depth, 2))
        stored.push_back(trace::floatToHalf(v));
    for (const cpu::Stored type : {cpu::Stored::F16, cpu::Stored::BF16}) {
        Floats wide(stored.size()), one(std::size_t(rows), 1.0F), two = one;
        GetParam()->widen(stored.data(), type, wide.data(), rows * depth);
        GetParam()->dotRows({stored.data(), type, depth, x.data(), one.data(), rows, depth, true});
        GetParam()->dotRows(
            {wide.data(), cpu::Stored::F32, depth, x.data(), two.data(), rows, depth, true});
        EXPECT_EQ(one, two);
        for (std::int64_t r = 0; r < rows; ++r) {
            double want = 1.0;
            for (std::int64_t t = 0; t < depth; ++t)
                want += double(wide[std::size_t(r * depth + t)]) * double(x[std::size_t(t)]);
            EXPECT_NEAR(one[std::size_t(r)], want, 1e-4 * (1.0 + std::abs(want)));
        }
    }
}

// Keys are hidden before and behind, by place or by label.
TEST_P(EveryKernel, AttendsToWhatIsInSight) {
    const std::int64_t d = 6, lanes = 16, count = 40;
    Floats queries = noise(d * lanes, 1), keys = noise(count * d, 2), values = noise(count * d, 3);
    Ints seen, lowest, labels(std::size_t(count), 0);
    for (std::int32_t lane = 0; lane < lanes; ++lane) {
        seen.push_back(40 - lane);
        lowest.push_back(2 * lane);
    }
    for (std::int32_t k = 0; k < count; ++k)
        labels[std::size_t(k)] = k * 7 % count;
    for (const bool labelled : {false, true}) {
        Floats scores(std::size_t(count * lanes)), sums(std::size_t(d * lanes), 0.0F);
        Floats highest(std::size_t(lanes), cpu::kNothingSeen), total(std::size_t(lanes), 0.0F);
        GetParam()->attend({queries.data(), keys.data(), values.data(), seen.data(), lowest.data(),
                            labelled ? labels.data() : nullptr, d, lanes, count, scores.data(),
                            sums.data(), highest.data(), total.data()});
        for (std::int32_t lane = 0; lane < lanes; ++lane) {
            double all = 0.0, want[6] = {};
            for (std::int32_t k = 0; k < seen[std::size_t(lane)]; ++k) {
                if ((labelled ? labels[std::size_t(k)] : k) < 2 * lane) continue;
                double logit = 0.0;
                for (std::int64_t c = 0; c < d; ++c)
                    logit += double(queries[std::size_t(c * lanes + lane)]) *
                             double(keys[std::size_t(k * d + c)]);
                all += std::exp2(logit);
                for (std::int64_t c = 0; c < d; ++c)
                    want[c] += std::exp2(logit) * double(values[std::size_t(k * d + c)]);
            }
            if (all == 0.0) {
                EXPECT_EQ(total[std::size_t(lane)], 0.0F);
                continue;
            }
            for (std::int64_t c = 0; c < d; ++c)
                ASSERT_NEAR(sums[std::size_t(c * lanes + lane)] / total[std::size_t(lane)],
                            want[c] / all, 1e-5)
                    << lane;
        }
    }
}

std::vector<const cpu::Kernels*> kernels() {
    std::vector<const cpu::Kernels*> all;
    for (int i = 0; cpu::kernelsThatRun(i) != nullptr; ++i)
        all.push_back(cpu::kernelsThatRun(i));
    return all;
}
INSTANTIATE_TEST_SUITE_P(, EveryKernel, ::testing::ValuesIn(kernels()), [](const auto& set) {
    std::string name = set.param->name;
    std::erase(name, '-');
    return name;
});

TEST(StoredWeights, MatricesAreKeptAsTheyCome) {
    auto cpu = backend();
    EXPECT_TRUE(cpu->info().matricesAsStored);
    const unsigned char brain[] = {0, 0x80, 0x3F, 0x00, 0xC0};
    std::uint16_t kept[2] = {};
    cpu->uploadWeights({kept, DType::BF16, 1, 2, 2}, brain + 1, DType::BF16);
    EXPECT_EQ(kept[0], 0x3F80);
    EXPECT_EQ(kept[1], 0xC000);
    EXPECT_THROW(cpu->uploadWeights({kept, DType::BF16, 1, 2, 2}, brain, DType::F16), Error);
    cpu->fillRandom({kept, DType::BF16, 1, 2, 2}, 1, 0.02F);
    const float value = std::bit_cast<float>(std::uint32_t(kept[0]) << 16U);
    EXPECT_NE(value, 0.0F);
    EXPECT_LT(std::abs(value), 0.2F);
}
