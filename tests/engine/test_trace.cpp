// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/fate.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

using namespace fkv::trace;

TEST(Half, EveryFiniteHalfSurvivesTheRoundTrip) {
    for (std::uint32_t h = 0; h < 0x10000U; ++h) {
        if ((h & 0x7C00U) == 0x7C00U && (h & 0x3FFU) != 0) continue; // NaN keeps no payload
        const auto half = static_cast<std::uint16_t>(h);
        EXPECT_EQ(floatToHalf(halfToFloat(half)), half) << h;
    }
}

TEST(Half, RoundsToNearestEvenAndSaturatesToInfinity) {
    EXPECT_EQ(floatToHalf(1.0F + 1.0F / 2048.0F), 0x3C00U); // half way: to even
    EXPECT_EQ(floatToHalf(1.0F + 3.0F / 2048.0F), 0x3C02U);
    EXPECT_EQ(floatToHalf(65504.0F), 0x7BFFU);
    EXPECT_EQ(floatToHalf(65520.0F), 0x7C00U);
    EXPECT_EQ(floatToHalf(-1e30F), 0xFC00U);
    EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(WindowSums, HalfRowsAreScaled) {
    auto half = Plane<std::uint16_t>::own({floatToHalf(0.5F), floatToHalf(2.0F)}, 1, 2);
    const WindowSums sums(half, Plane<float>::own({4.0F}, 1, 1));
    EXPECT_FALSE(sums.exact());
    EXPECT_FLOAT_EQ(sums.at(0, 1), 8.0F);
    std::vector<float> row(2);
    sums.row(0, row);
    EXPECT_FLOAT_EQ(row[0], 2.0F);
}

TEST(PositionSet, CountsInsideAnyRange) {
    PositionSet set(200);
    for (std::int64_t i = 0; i < 200; i += 3)
        set.add(i);
    for (std::int64_t begin : {0, 1, 63, 64, 65, 127, 199})
        for (std::int64_t end : {0, 1, 63, 64, 65, 128, 200, 500}) {
            std::int64_t expected = 0;
            for (std::int64_t i = begin; i < std::min<std::int64_t>(end, 200); ++i)
                expected += set.has(i) ? 1 : 0;
            EXPECT_EQ(set.count(begin, end), expected) << begin << ' ' << end;
        }
    EXPECT_EQ(PositionSet(130, true).count(), 130);
}

TEST(Tables, LocateClampsAndInterpolatesInLogK) {
    const std::vector<std::int64_t> ks{1, 10, 100};
    EXPECT_EQ(locate(ks, 0).lower, 0U);
    EXPECT_FLOAT_EQ(locate(ks, 1000).weight, 1.0F);
    const TablePosition p = locate(ks, 31);
    EXPECT_EQ(p.lower, 1U);
    EXPECT_NEAR(p.weight, 0.4914F, 1e-3F);
}

TEST(Sampling, IsSaidWithoutWhatIsOff) {
    EXPECT_EQ(describe(Sampling{}), "greedy");
    EXPECT_EQ(describe(Sampling{0.0, 5, 0.5, 9}), "greedy");
    EXPECT_EQ(describe(Sampling{0.7, 0, 0.9, 1}), "temperature 0.7, top-p 0.9, seed 1");
    EXPECT_EQ(describe(Sampling{1.0, 40, 1.0, 4294967295U}),
              "temperature 1, top-k 40, seed 4294967295");
}

TEST(Zones, EveryZoneGroupAndPassHasAName) {
    for (int z = 0; z < static_cast<int>(Zone::Count); ++z)
        EXPECT_FALSE(name(static_cast<Zone>(z)).empty());
    for (int g = 0; g < static_cast<int>(ZoneGroup::Count); ++g)
        EXPECT_FALSE(name(static_cast<ZoneGroup>(g)).empty());
    for (int p = 0; p < static_cast<int>(PassKind::Count); ++p)
        EXPECT_FALSE(name(static_cast<PassKind>(p)).empty());
    EXPECT_TRUE(isInstrument(Zone::Capture));
    EXPECT_EQ(groupOf(Zone::Capture), ZoneGroup::Instrument);
}

TEST(Answer, FirstLineIsWhatAnExpectedAnswerIsHeldAgainst) {
    Answer a;
    a.tokens = {{1, " Victor", 0.0}, {2, " Carver", 0.0}, {3, "\n", 0.0}, {4, "Question", 0.0}};
    EXPECT_EQ(a.firstLine(), "Victor Carver");
    EXPECT_EQ(Answer{}.firstLine(), "");
}

TEST(Fidelity, MeansOfNothingAreDefined) {
    EXPECT_DOUBLE_EQ(Fidelity{}.meanKl(), 0.0);
    EXPECT_DOUBLE_EQ(Fidelity{}.top1Agreement(), 1.0);
}
