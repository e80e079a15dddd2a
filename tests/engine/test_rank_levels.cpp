// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/rank_levels.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace fkv::trace;

namespace {

PlanePtr<std::uint32_t> shuffled(std::size_t heads, std::size_t columns, std::mt19937& random) {
    std::vector<std::uint32_t> ranks;
    std::vector<std::uint32_t> row(columns);
    std::iota(row.begin(), row.end(), 0U);
    for (std::size_t g = 0; g < heads; ++g) {
        std::shuffle(row.begin(), row.end(), random);
        ranks.insert(ranks.end(), row.begin(), row.end());
    }
    return Plane<std::uint32_t>::own(std::move(ranks), heads, columns);
}

/// About half of the columns, with bits behind the last one set as well.
std::vector<std::uint64_t> randomWords(std::size_t words, std::mt19937& random) {
    std::vector<std::uint64_t> bits(words);
    for (std::uint64_t& word : bits) word = (std::uint64_t{random()} << 32) | random();
    return bits;
}

bool has(const std::vector<std::uint64_t>& bits, std::size_t column) {
    return ((bits[column / 64] >> (column % 64)) & 1U) != 0;
}

}  // namespace

TEST(RankLevels, EveryAnswerIsThatOfTheRanks) {
    std::mt19937 random(5);
    for (const std::size_t columns : {1U, 2U, 63U, 64U, 65U, 300U, 5000U, 70'001U}) {
        const auto ranks = shuffled(2, columns, random);
        const RankLevels levels(ranks);
        ASSERT_EQ(levels.edges().front(), 0U);
        ASSERT_EQ(levels.edges().back(), columns);
        ASSERT_LE(levels.count(), RankLevels::kMost);
        ASSERT_EQ(levels.words(), (columns + 63) / 64);
        const auto among = randomWords(levels.words(), random);
        std::vector<std::int32_t> listed;
        for (std::size_t i = 0; i < columns; ++i)
            if (has(among, i)) listed.push_back(static_cast<std::int32_t>(i));

        for (std::size_t g = 0; g < 2; ++g) {
            const auto row = ranks->row(g);
            std::vector<std::uint32_t> counts(levels.count(), 77);
            levels.countLevels(g, listed, counts);
            for (std::size_t level = 0; level < levels.count(); ++level)
                ASSERT_EQ(counts[level],
                          std::count_if(listed.begin(), listed.end(), [&](std::int32_t i) {
                              const std::uint32_t rank = row[static_cast<std::size_t>(i)];
                              return rank >= levels.edges()[level] && rank < levels.edges()[level + 1];
                          }))
                    << columns << " columns, level " << level;

            std::vector<std::uint32_t> sorted;
            for (const std::int32_t i : listed) sorted.push_back(row[static_cast<std::size_t>(i)]);
            std::sort(sorted.begin(), sorted.end());
            const auto n = static_cast<std::int64_t>(sorted.size());
            for (const std::int64_t wanted : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, n / 7,
                                              n / 2, n - 1, n, n + 9}) {
                std::vector<std::uint64_t> best(levels.words(), ~0ULL);
                const std::uint32_t cut = levels.best(g, among, counts, wanted, best);
                if (wanted <= n) {
                    ASSERT_EQ(cut, wanted <= 0 ? 0 : sorted[static_cast<std::size_t>(wanted - 1)] + 1);
                }
                for (std::size_t i = 0; i < levels.words() * 64; ++i)
                    ASSERT_EQ(has(best, i), i < columns && has(among, i) && row[i] < cut)
                        << columns << " columns, wanted " << wanted << ", column " << i;
            }
        }
    }
}

TEST(RankLevels, NoColumnsAndForeignRanksAreSafe) {
    const RankLevels none(Plane<std::uint32_t>::own({}, 2, 0));
    EXPECT_EQ(none.count(), 0U);
    EXPECT_EQ(none.words(), 0U);
    none.countLevels(1, {}, {});
    EXPECT_EQ(none.best(1, {}, {}, 5, {}), 0U);
    // What a file calls ranks may be anything.
    const RankLevels foreign(Plane<std::uint32_t>::own({7, 0xFFFFFFFF, 0, 3}, 1, 4));
    std::vector<std::uint32_t> counts(foreign.count());
    foreign.countLevels(0, std::vector<std::int32_t>{0, 1, 2, 3}, counts);
    std::vector<std::uint64_t> best(1);
    foreign.best(0, std::vector<std::uint64_t>{~0ULL}, counts, 2, best);
    EXPECT_EQ(best[0] & ~0b1111ULL, 0U);
    EXPECT_NE(best[0] & 0b0100U, 0U);
}
