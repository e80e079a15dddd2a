// SPDX-License-Identifier: Apache-2.0
#include "engine/select/ranks.h"
#include "engine/trace/fate.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <random>

using namespace fkv;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan_ = std::numeric_limits<float>::quiet_NaN();

std::vector<std::uint32_t> rank(const std::vector<float>& scores, std::int64_t notANumber = 0) {
    select::RankScratch scratch;
    std::vector<std::uint32_t> ranks(scores.size());
    EXPECT_EQ(select::rankDescending(scores, ranks, scratch), notANumber);
    return ranks;
}

using Ranks = std::vector<std::uint32_t>;

}  // namespace

TEST(Ranks, TiesGoToTheLowerIndex) {
    EXPECT_EQ(rank({1, 3, 1, 3, 2}), (Ranks{3, 0, 4, 1, 2}));
    EXPECT_EQ(rank({5, 5, 5}), (Ranks{0, 1, 2}));
    EXPECT_EQ(rank({}), Ranks{});
}

TEST(Ranks, NanIsLastAndCounted) {
    EXPECT_EQ(rank({nan_, -inf, -nan_, 1}, 2), (Ranks{2, 1, 3, 0}));
}

TEST(Ranks, ZerosTieAndInfinitiesAreTheEnds) {
    EXPECT_EQ(rank({-0.0F, 0.0F, -0.0F, -1e-45F, 1e-45F, inf, -inf}),
              (Ranks{2, 3, 4, 5, 1, 0, 6}));
}

TEST(Ranks, EqualsAStableSortOnDataWithManyTies) {
    std::mt19937 random(1);
    select::RankScratch scratch;  // reused on purpose, growing and shrinking
    for (std::size_t n : {1U, 2U, 1000U, 37U, 20000U}) {
        for (int levels : {2, 50, 1 << 24}) {
            std::vector<float> scores(n);
            for (float& s : scores)
                s = static_cast<float>(static_cast<int>(random() % static_cast<unsigned>(levels)) -
                                       levels / 2) * 0.37F;
            std::vector<std::uint32_t> order(n), ranks(n), expected(n);
            std::iota(order.begin(), order.end(), 0U);
            std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
                return scores[a] > scores[b];
            });
            for (std::uint32_t i = 0; i < n; ++i) expected[order[i]] = i;
            select::rankDescending(scores, ranks, scratch);
            ASSERT_EQ(ranks, expected) << n << ' ' << levels;
        }
    }
}

TEST(Ranks, BestAscendingTakesThatMany) {
    const Ranks ranks{3, 0, 4, 1, 2};
    EXPECT_EQ(select::bestAscending(ranks, 3), (std::vector<std::int32_t>{1, 3, 4}));
    EXPECT_TRUE(select::bestAscending(ranks, 0).empty());
    EXPECT_TRUE(select::bestAscending(ranks, -1).empty());
    EXPECT_EQ(select::bestAscending(ranks, 9).size(), 5U);
}

TEST(Ranks, TiedAtCutUsesTheTolerance) {
    const std::vector<float> scores{1.0F, 2.0F, 1.00005F, 1.01F, 0.5F, 1.0F};
    const auto ranks = rank(scores);
    EXPECT_EQ(trace::tiedAtCut(scores, ranks, 3), 3);  // the cut is 1.00005
    EXPECT_EQ(trace::tiedAtCut(scores, ranks, 1), 1);  // 2.0 alone
    EXPECT_EQ(trace::tiedAtCut(scores, ranks, 0), 0);
    EXPECT_EQ(trace::tiedAtCut(scores, ranks, 6), 0);
    const std::vector<float> odd{inf, inf, 1.0F, nan_, nan_};
    EXPECT_EQ(trace::tiedAtCut(odd, rank(odd, 2), 1), 2);
    EXPECT_EQ(trace::tiedAtCut(odd, rank(odd, 2), 4), 2);
}

TEST(Pooling, EqualsBruteForce) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    constexpr int heads = 6, groups = 2;
    for (int tokens : {1, 2, 5, 64, 131})
        for (int kernel : {1, 3, 5, 7, 9, 15, 33, 301})
            for (bool average : {false, true}) {
                std::vector<float> sums(static_cast<std::size_t>(heads * tokens));
                for (float& s : sums) s = normal(random);
                std::vector<float> got(static_cast<std::size_t>(groups * tokens), nan_);
                select::poolAndGroup({sums, got, heads, groups, tokens, kernel, average});
                for (int g = 0; g < groups; ++g)
                    for (int i = 0; i < tokens; ++i) {
                        float expected = 0.0F;
                        for (int h = g * 3; h < g * 3 + 3; ++h) {
                            float value = average ? 0.0F : -inf;
                            for (int j = i - kernel / 2; j <= i + kernel / 2; ++j) {
                                if (j < 0 || j >= tokens) continue;
                                const float x = sums[static_cast<std::size_t>(h * tokens + j)];
                                value = average ? value + x : std::max(value, x);
                            }
                            expected += average ? value / static_cast<float>(kernel) : value;
                        }
                        ASSERT_EQ(got[static_cast<std::size_t>(g * tokens + i)], expected)
                            << tokens << ' ' << kernel << ' ' << average << ' ' << i;
                    }
            }
}

TEST(Pooling, NothingToScoreIsFine) {
    select::poolAndGroup({{}, {}, 4, 2, 0, 7, false});
    select::poolAndGroup({{}, {}, 4, 2, 0, 7, true});
    select::sumRows({}, 3, {});
}

TEST(Pooling, MaxKeepsNotANumberVisible) {
    const std::vector<float> sums{1, nan_, 2, 3, 4};
    std::vector<float> got(5);
    select::poolAndGroup({sums, got, 1, 1, 5, 3, false});
    EXPECT_TRUE(std::isnan(got[0]) && std::isnan(got[1]) && std::isnan(got[2]));
    EXPECT_EQ(got[3], 4.0F);
}

TEST(Pooling, SumRowsAddsInOrder) {
    const std::vector<float> values{1, 2, 3, 10, 20, 30};
    std::vector<float> out(3, -1.0F);
    select::sumRows(values, 2, out);
    EXPECT_EQ(out, (std::vector<float>{11, 22, 33}));
}
