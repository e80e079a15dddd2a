// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/select/budgets.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace fkv;
using namespace fkv::trace;

namespace {

ModelInfo model() {
    ModelInfo m;
    m.layers = 4;
    m.queryHeads = 8;
    m.kvHeads = 2;
    m.headDim = 16;
    return m;
}

Settings with(Amount tsp, Amount kv) {
    Settings s = select::defaultSettings(4);
    s.tsp = tsp;
    s.kv = kv;
    return s;
}

std::string refusal(const Settings& s) {
    try {
        select::validate(s, 4);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::BadArgument);
        return e.what();
    }
    return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST(Budgets, DefaultsFollowTheDepthOfTheModel) {
    EXPECT_EQ(select::defaultSettings(32).tspLayer, 15);
    EXPECT_EQ(select::defaultSettings(36).tspLayer, 17);
    EXPECT_EQ(select::defaultSettings(40).tspLayer, 19);
    EXPECT_EQ(select::defaultSettings(1).tspLayer, 0);
    EXPECT_NO_THROW(select::validate(select::defaultSettings(1), 1));
}

TEST(Budgets, RatesAtTheDefaults) {
    const Budgets b = select::computeBudgets(select::defaultSettings(4), model(), 1000);
    EXPECT_TRUE(b.tspOn);
    EXPECT_EQ(b.firstLate(), 2);
    EXPECT_EQ(b.propagated, 200);
    EXPECT_EQ(b.layers[1], (LayerBudget{1000, 100}));
    EXPECT_EQ(b.layers[2], (LayerBudget{200, 100}));
    EXPECT_FALSE(b.tspClamped || b.kvClamped || b.lateClamped);
    EXPECT_DOUBLE_EQ(b.tspRate, 0.2);
    EXPECT_DOUBLE_EQ(b.kvRate, 0.1);
    EXPECT_EQ(b.fullKvBytes, 4LL * 1000 * 2 * 2 * 16 * 4);
    EXPECT_EQ(b.kvBytes, 4LL * 100 * 2 * 2 * 16 * 4);
}

TEST(Budgets, TheLateRateIsAQuotientAndThenAProductInDouble) {
    // Counts where the other order would give another C, so that the order is really tested.
    int differing = 0;
    for (std::int64_t n = 100; n < 400; ++n)
        for (int r = 1; r <= 9; ++r)
            for (int t = r + 1; t <= 9; ++t) {
                const double kv = r / 10.0;
                const double tsp = t / 10.0;
                const Budgets b = select::computeBudgets(
                    with(Amount::ofRate(tsp), Amount::ofRate(kv)), model(), n);
                const double quotient = kv / tsp;
                const auto expected =
                    static_cast<std::int64_t>(static_cast<double>(b.propagated) * quotient);
                ASSERT_EQ(b.propagated, static_cast<std::int64_t>(static_cast<double>(n) * tsp));
                ASSERT_EQ(b.layers[3].kept, std::max<std::int64_t>(expected, 8)) << n;
                differing += expected != static_cast<std::int64_t>(
                                             static_cast<double>(b.propagated) * kv / tsp);
            }
    EXPECT_GT(differing, 0);
}

TEST(Budgets, CAndTAreRaisedToTheWindow) {
    const Budgets b = select::computeBudgets(select::defaultSettings(4), model(), 20);
    EXPECT_EQ(b.propagated, 8);
    EXPECT_TRUE(b.tspOn && b.tspClamped && b.kvClamped);
    EXPECT_FALSE(b.lateClamped);
    EXPECT_EQ(b.layers[0], (LayerBudget{20, 8}));
    EXPECT_EQ(b.layers[3], (LayerBudget{8, 8}));
}

TEST(Budgets, APromptNoLongerThanTheWindowIsKeptWhole) {
    for (std::int64_t n : {1, 7, 8}) {
        const Budgets b = select::computeBudgets(select::defaultSettings(4), model(), n);
        EXPECT_FALSE(b.tspOn);
        EXPECT_EQ(b.propagated, n);
        for (const LayerBudget& l : b.layers) EXPECT_EQ(l, (LayerBudget{n, n}));
        EXPECT_DOUBLE_EQ(b.kvRate, 1.0);
    }
}

TEST(Budgets, TspAndKvAreDecidedIndependently) {
    // C covers all of S, yet TSP still drops tokens.
    const Budgets b =
        select::computeBudgets(with(Amount::ofRate(0.5), Amount::ofTokens(5000)), model(), 100);
    EXPECT_TRUE(b.tspOn && b.kvClamped && b.lateClamped);
    EXPECT_EQ(b.layers[0], (LayerBudget{100, 100}));
    EXPECT_EQ(b.layers[2], (LayerBudget{50, 50}));
}

TEST(Budgets, RetentionAboveTheTspRateIsClampedAndTheAchievedRateShown) {
    const Budgets b =
        select::computeBudgets(with(Amount::ofRate(0.2), Amount::ofRate(0.6)), model(), 1000);
    EXPECT_TRUE(b.lateClamped);
    EXPECT_EQ(b.layers[0].kept, 600);
    EXPECT_EQ(b.layers[2].kept, 200);
    EXPECT_DOUBLE_EQ(b.kvRate, 0.4);
}

TEST(Budgets, WithoutTspTheLateRateIsTheEarlyRate) {
    for (Amount tsp : {Amount::ofRate(1.0), Amount::ofTokens(1000), Amount::ofTokens(4000)}) {
        const Budgets b =
            select::computeBudgets(with(tsp, Amount::ofRate(0.1)), model(), 1000);
        EXPECT_FALSE(b.tspOn);
        EXPECT_EQ(b.firstLate(), 4);
        EXPECT_EQ(b.tspClamped, tsp.tokens > 1000);
        for (const LayerBudget& l : b.layers) EXPECT_EQ(l, (LayerBudget{1000, 100}));
    }
}

TEST(Budgets, TokensMixWithRates) {
    Budgets b =
        select::computeBudgets(with(Amount::ofTokens(300), Amount::ofRate(0.1)), model(), 1000);
    EXPECT_EQ(b.layers[3], (LayerBudget{300, 100}));
    b = select::computeBudgets(with(Amount::ofTokens(60), Amount::ofRate(0.1)), model(), 1000);
    EXPECT_EQ(b.layers[3], (LayerBudget{60, 60}));
    EXPECT_TRUE(b.lateClamped);
    b = select::computeBudgets(with(Amount::ofRate(0.2), Amount::ofTokens(64)), model(), 1000);
    EXPECT_EQ(b.layers[0], (LayerBudget{1000, 64}));
    EXPECT_EQ(b.layers[3], (LayerBudget{200, 64}));
}

TEST(Budgets, TinyRatesDoNotOverflowTheQuotient) {
    const Amount tiny = Amount::ofRate(std::numeric_limits<double>::denorm_min());
    const Budgets b = select::computeBudgets(with(tiny, Amount::ofRate(1.0)), model(), 131072);
    EXPECT_EQ(b.layers[3], (LayerBudget{8, 8}));
    EXPECT_TRUE(b.lateClamped);
}

TEST(Budgets, FullKeepsEverything) {
    Settings s = select::defaultSettings(4);
    s.method = Method::Full;
    const Budgets b = select::computeBudgets(s, model(), 500);
    EXPECT_FALSE(b.tspOn);
    EXPECT_EQ(b.kvBytes, b.fullKvBytes);
    EXPECT_DOUBLE_EQ(b.kvRate, 1.0);
}

TEST(Budgets, InvalidSettingsAreRefusedWithTheValidRange) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (double r : {0.0, -0.1, 1.0001, nan}) {
        EXPECT_TRUE(contains(refusal(with(Amount::ofRate(r), Amount::ofRate(0.1))), "at most 1"));
        EXPECT_TRUE(contains(refusal(with(Amount::ofRate(0.1), Amount::ofRate(r))), "at most 1"));
    }
    EXPECT_TRUE(contains(refusal(with(Amount::ofTokens(0), Amount::ofRate(0.1))), "1 token"));
    EXPECT_TRUE(contains(refusal(with(Amount::ofRate(0.1), Amount::ofTokens(-3))), "1 token"));
    for (int t : {-1, 4}) {
        Settings s = select::defaultSettings(4);
        s.tspLayer = t;
        EXPECT_TRUE(contains(refusal(s), "0 to 3"));
    }
    for (int k : {-1, 0, 2, 8}) {
        Settings s = select::defaultSettings(4);
        s.kernel = k;
        EXPECT_TRUE(contains(refusal(s), "odd"));
    }
    Settings s = select::defaultSettings(4);
    s.window = 0;
    EXPECT_TRUE(contains(refusal(s), "1 token or more"));
    for (const int count : {-1, trace::kMostGenerate + 1}) {
        s = select::defaultSettings(4);
        s.generate = count;
        EXPECT_TRUE(contains(refusal(s), "0 to 1048576 tokens"));
    }
    const auto drawn = [](const Sampling& sampling) {
        Settings settings = select::defaultSettings(4);
        settings.sampling = sampling;
        return refusal(settings);
    };
    for (const double t : {-0.1, 100.5, nan, std::numeric_limits<double>::infinity()})
        EXPECT_TRUE(contains(drawn({t, 0, 1.0, 0}), "0 (greedy) to 100"));
    EXPECT_TRUE(contains(drawn({1.0, -1, 1.0, 0}), "1 or more, 0 for off"));
    for (const double p : {0.0, -0.5, 1.01, nan})
        EXPECT_TRUE(contains(drawn({1.0, 0, p, 0}), "above 0, at most 1"));
    EXPECT_EQ(drawn({100.0, 1 << 30, 1e-9, 0xFFFFFFFF}), "accepted");
    EXPECT_EQ(drawn({0.0, 0, 1.0, 0}), "accepted");
    EXPECT_EQ(refusal(with(Amount::ofRate(1.0), Amount::ofRate(1.0))), "accepted");
}

TEST(Budgets, TokensForBytesIsTheLargestThatFits) {
    const Settings s = select::defaultSettings(4);
    for (std::int64_t bytes : {0LL, 10000LL, 77777LL, 400000LL, 900000LL, 1LL << 40}) {
        const std::int64_t n = select::kvTokensForBytes(s, model(), 1000, bytes);
        ASSERT_GE(n, 8);
        ASSERT_LE(n, 1000);
        const auto cost = [&](std::int64_t c) {
            return select::computeBudgets(with(s.tsp, Amount::ofTokens(c)), model(), 1000).kvBytes;
        };
        if (n > 8) {
            EXPECT_LE(cost(n), bytes);
        }
        if (n < 1000) {
            EXPECT_GT(cost(n + 1), bytes);
        }
    }
}
