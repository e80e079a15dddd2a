// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/select/ranks.h"
#include "engine/select/stabilization.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <set>

using namespace fkv;
using namespace fkv::trace;

namespace {

constexpr std::size_t kLayers = 5;

/// Random window sums with a few heavy tokens; ranks and mass as the full pass makes them.
FullPass makePass(std::size_t tokens, std::size_t kvHeads = 3, std::size_t groupSize = 2,
                  float poison = 0.0F) {
    std::mt19937 random(static_cast<unsigned>(tokens + kvHeads));
    std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
    FullPass full;
    std::vector<std::uint32_t> tsp(kLayers * tokens);
    std::vector<float> mass(kLayers * tokens, 0.0F);
    select::RankScratch scratch;
    for (std::size_t l = 0; l < kLayers; ++l) {
        const std::size_t heads = kvHeads * groupSize;
        std::vector<float> sums(heads * tokens);
        for (float& v : sums) v = std::pow(uniform(random), 9.0F);
        if (poison != 0.0F && tokens > 3) sums[3] = poison;
        std::vector<float> saliency(kvHeads * tokens);
        select::poolAndGroup({sums, saliency, static_cast<std::int64_t>(heads),
                              static_cast<std::int64_t>(kvHeads), static_cast<std::int64_t>(tokens),
                              3, false});
        std::vector<std::uint32_t> ranks(saliency.size());
        for (std::size_t g = 0; g < kvHeads; ++g)
            select::rankDescending(std::span(saliency).subspan(g * tokens, tokens),
                                   std::span(ranks).subspan(g * tokens, tokens), scratch);
        std::vector<float> score(tokens);
        select::sumRows(saliency, static_cast<std::int64_t>(kvHeads), score);
        select::rankDescending(score, std::span(tsp).subspan(l * tokens, tokens), scratch);
        select::sumRows(sums, static_cast<std::int64_t>(heads),
                        std::span(mass).subspan(l * tokens, tokens));
        full.layers.push_back(
            {.ranks = Plane<std::uint32_t>::own(std::move(ranks), kvHeads, tokens),
             .sums = std::make_shared<WindowSums>(Plane<float>::own(std::move(sums), heads, tokens))});
    }
    full.tspRanks = Plane<std::uint32_t>::own(std::move(tsp), kLayers, tokens);
    full.mass = Plane<float>::own(std::move(mass), kLayers, tokens);
    return full;
}

/// The definitions of SPEC section 7, word for word, over columns [0, tokens).
struct Oracle {
    const FullPass& full;
    std::size_t tokens;

    std::set<std::size_t> best(std::size_t layer, std::int64_t k) const {
        return bestOf(full.tspRanks->row(layer), k);
    }
    std::set<std::size_t> bestOf(std::span<const std::uint32_t> ranks, std::int64_t k) const {
        std::vector<std::size_t> order(tokens);
        for (std::size_t i = 0; i < tokens; ++i) order[i] = i;
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
        return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k)};
    }
    double overlap(std::size_t l, std::size_t m, std::int64_t k) const {
        const auto a = best(l, k);
        const auto b = best(m, k);
        std::vector<std::size_t> both;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
        return static_cast<double>(both.size()) / static_cast<double>(k);
    }
    double massOf(std::size_t layer, std::size_t head, std::size_t token) const {
        const WindowSums& sums = *full.layers[layer].sums;
        const std::size_t size = sums.heads() / full.layers[layer].ranks->rows();
        double total = 0.0;
        for (std::size_t h = head * size; h < (head + 1) * size; ++h) {
            const float v = sums.at(h, token);
            total += std::isfinite(v) ? v : 0.0F;
        }
        return total;
    }
    /// Share of the heads' mass in layer m that lies on `set`.
    double share(std::size_t m, std::size_t firstHead, std::size_t lastHead,
                 const std::set<std::size_t>& set) const {
        double part = 0.0;
        double total = 0.0;
        for (std::size_t g = firstHead; g <= lastHead; ++g)
            for (std::size_t i = 0; i < tokens; ++i) {
                total += massOf(m, g, i);
                if (set.count(i) > 0) part += massOf(m, g, i);
            }
        return part / total;
    }
};

void expectTable(const StabilizationTable& table, const Oracle& oracle) {
    ASSERT_EQ(table.layers, static_cast<int>(kLayers));
    const std::size_t heads = oracle.full.layers[0].ranks->rows();
    for (std::size_t ki = 0; ki < table.k.size(); ++ki)
        for (std::size_t l = 0; l < kLayers; ++l) {
            double worst = 1.0;
            for (std::size_t m = 0; m < kLayers; ++m) {
                const int il = static_cast<int>(l);
                const int im = static_cast<int>(m);
                ASSERT_FLOAT_EQ(table.overlapAt(ki, il, im),
                                static_cast<float>(oracle.overlap(l, m, table.k[ki])))
                    << "K " << table.k[ki] << " l " << l << " m " << m;
                if (m <= l) {
                    ASSERT_EQ(table.recallAt(ki, il, im), 0.0F);
                    continue;
                }
                const auto set = oracle.best(l, table.k[ki]);
                ASSERT_NEAR(table.recallAt(ki, il, im), oracle.share(m, 0, heads - 1, set), 2e-6);
                for (std::size_t g = 0; g < heads; ++g)
                    worst = std::min(worst, oracle.share(m, g, g, set));
            }
            ASSERT_NEAR(table.worstRecall[ki * kLayers + l], worst, 2e-6) << table.k[ki];
        }
}

}  // namespace

TEST(TableKs, RiseFromOneToAllOfThem) {
    EXPECT_TRUE(select::tableKs(0).empty());
    for (std::int64_t scored : {1, 2, 5, 63, 64, 65, 70, 100, 1000, 131064}) {
        const auto k = select::tableKs(scored);
        ASSERT_EQ(k.size(), static_cast<std::size_t>(std::min<std::int64_t>(scored, 64)));
        EXPECT_EQ(k.front(), 1);
        EXPECT_EQ(k.back(), scored);
        EXPECT_TRUE(std::is_sorted(k.begin(), k.end(), std::less_equal<>{}));
    }
    const auto k = select::tableKs(131064);
    EXPECT_NEAR(static_cast<double>(k[50]) / static_cast<double>(k[49]), 1.206, 0.01);
}

TEST(Stabilization, TablesEqualTheirDefinitions) {
    ThreadPool pool(2);
    for (std::size_t kvHeads : {1U, 3U, 5U}) {
        const FullPass full = makePass(150, kvHeads);
        const auto tables = select::computeTables(full, pool, {});
        ASSERT_EQ(tables->all.k.back(), 150);
        ASSERT_EQ(tables->withoutEnd.k.back(), 150 - 64);
        expectTable(tables->all, {full, 150});
        expectTable(tables->withoutEnd, {full, 150 - 64});
        const Oracle oracle{full, 150};
        ASSERT_EQ(tables->heads.kvHeads, static_cast<int>(kvHeads));
        for (std::size_t ki = 0; ki < tables->heads.k.size(); ++ki)
            for (std::size_t l = 0; l < kLayers; ++l)
                for (std::size_t g = 0; g < kvHeads; ++g) {
                    const auto set =
                        oracle.bestOf(full.layers[l].ranks->row(g), tables->heads.k[ki]);
                    ASSERT_NEAR(tables->heads.mass[(ki * kLayers + l) * kvHeads + g],
                                oracle.share(l, g, g, set), 2e-6);
                }
    }
}

TEST(Stabilization, ExactAtEqualsTheDefinitionBetweenTheTablesKs) {
    ThreadPool pool(2);
    const FullPass full = makePass(200);
    for (std::int64_t k : {1, 7, 111, 136}) {
        expectTable(select::exactAt(full, k, false, pool), {full, 200});
        expectTable(select::exactAt(full, k, true, pool), {full, 136});
    }
    EXPECT_EQ(select::exactAt(full, 0, false, pool).k, std::vector<std::int64_t>{1});
    EXPECT_EQ(select::exactAt(full, 999, true, pool).k, std::vector<std::int64_t>{136});
}

TEST(Stabilization, EverythingRecallsEverything) {
    ThreadPool pool(2);
    const auto tables = select::computeTables(makePass(5000, 8, 4), pool, {});
    for (const StabilizationTable* table : {&tables->all, &tables->withoutEnd})
        for (int l = 0; l < 5; ++l)
            for (int m = l + 1; m < 5; ++m) {
                EXPECT_EQ(table->recallAt(63, l, m), 1.0F);
                EXPECT_EQ(table->overlapAt(63, l, m), 1.0F);
            }
}

TEST(Stabilization, ShortPromptsGiveShortTables) {
    ThreadPool pool(2);
    EXPECT_TRUE(select::computeTables(makePass(0), pool, {})->all.k.empty());
    EXPECT_TRUE(select::exactAt(makePass(0), 5, false, pool).k.empty());
    for (std::size_t tokens : {1U, 2U, 64U, 65U}) {
        const FullPass full = makePass(tokens);
        const auto tables = select::computeTables(full, pool, {});
        expectTable(tables->all, {full, tokens});
        EXPECT_EQ(tables->withoutEnd.k.size(), tokens > 64 ? tokens - 64 : 0U);
        EXPECT_EQ(select::exactAt(full, 5, true, pool).k.empty(), tokens <= 64);
    }
}

TEST(Stabilization, ScoresThatAreNotNumbersCountAsNoMass) {
    ThreadPool pool(2);
    for (float poison : {std::numeric_limits<float>::quiet_NaN(),
                         std::numeric_limits<float>::infinity()}) {
        const FullPass full = makePass(100, 3, 2, poison);
        expectTable(select::computeTables(full, pool, {})->all, {full, 100});
    }
    FullPass nothing = makePass(40);
    for (LayerPlanes& planes : nothing.layers)
        planes.sums = std::make_shared<WindowSums>(
            Plane<float>::own(std::vector<float>(6 * 40, 0.0F), 6, 40));
    const auto tables = select::computeTables(nothing, pool, {});
    EXPECT_EQ(tables->all.recallAt(0, 0, 1), 1.0F);
    EXPECT_EQ(tables->all.worstRecall[0], 1.0F);
    EXPECT_EQ(tables->heads.mass[0], 1.0F);
}

TEST(Stabilization, WithoutWindowSumsTheHeadsAreUnknown) {
    ThreadPool pool(2);
    FullPass full = makePass(90);
    const auto known = select::computeTables(full, pool, {});
    for (LayerPlanes& planes : full.layers) planes.sums = nullptr;
    const auto tables = select::computeTables(full, pool, {});
    EXPECT_NEAR(tables->all.recallAt(20, 1, 3), known->all.recallAt(20, 1, 3), 2e-6);
    EXPECT_TRUE(std::isnan(tables->all.worstRecall[1]));
    EXPECT_EQ(tables->heads.kvHeads, 0);
    full.mass = nullptr;
    EXPECT_TRUE(std::isnan(select::computeTables(full, pool, {})->all.recallAt(20, 1, 3)));
    full.tspRanks = nullptr;
    EXPECT_THROW(select::computeTables(full, pool, {}), Error);
}

TEST(Stabilization, StopsWhenAskedAndStepsAside) {
    ThreadPool pool(2);
    const FullPass full = makePass(100);
    std::stop_source source;
    int pauses = 0;
    EXPECT_THROW(select::computeTables(full, pool, source.get_token(),
                                       [&] {
                                           if (++pauses == 3) source.request_stop();
                                       }),
                 Error);
    EXPECT_EQ(pauses, 3);
    EXPECT_THROW(select::exactAt(full, 5, false, pool, source.get_token()), Error);
}

TEST(Stabilization, TheNumberOfThreadsChangesNoBit) {
    ThreadPool one(1);
    ThreadPool three(3);
    const FullPass full = makePass(9000, 3, 2);
    const auto a = select::computeTables(full, one, {});
    const auto b = select::computeTables(full, three, {});
    EXPECT_EQ(a->all.recall, b->all.recall);
    EXPECT_EQ(a->withoutEnd.worstRecall, b->withoutEnd.worstRecall);
    EXPECT_EQ(a->heads.mass, b->heads.mass);
}

TEST(Curves, InterpolateTheTableAndKnowNoLaterLayerForTheLast) {
    ThreadPool pool(2);
    const FullPass full = makePass(300);
    const auto tables = select::computeTables(full, pool, {});
    const StabilizationTable& table = tables->all;
    const StabilizationCurves curves = curvesAt(table, table.k[40], 300);
    EXPECT_FLOAT_EQ(curves.chance, static_cast<float>(table.k[40]) / 300.0F);
    EXPECT_FLOAT_EQ(curves.nextOverlap[2], table.overlapAt(40, 2, 3));
    EXPECT_FLOAT_EQ(curves.leastLaterOverlap[2],
                    std::min(table.overlapAt(40, 2, 3), table.overlapAt(40, 2, 4)));
    EXPECT_FLOAT_EQ(curves.meanLaterRecall[2],
                    (table.recallAt(40, 2, 3) + table.recallAt(40, 2, 4)) / 2.0F);
    EXPECT_FLOAT_EQ(curves.worstLaterRecall[2], table.worstRecall[40 * kLayers + 2]);
    EXPECT_TRUE(std::isnan(curves.nextOverlap[4]) && std::isnan(curves.worstLaterRecall[4]));

    const auto between = overlapMap(table, (table.k[50] + table.k[51]) / 2);
    EXPECT_GT(between[1], std::min(table.overlapAt(50, 0, 1), table.overlapAt(51, 0, 1)) - 1e-6F);
    EXPECT_LT(between[1], std::max(table.overlapAt(50, 0, 1), table.overlapAt(51, 0, 1)) + 1e-6F);
    EXPECT_FLOAT_EQ(headMassAt(tables->heads, 300, 1, 2), 1.0F);
    EXPECT_TRUE(curvesAt({}, 5, 5).nextOverlap.empty());
    EXPECT_TRUE(std::isnan(headMassAt({}, 5, 0, 0)));

    const auto exact = select::exactAt(full, 77, false, pool);
    EXPECT_FLOAT_EQ(curvesAt(exact, 77, 300).nextOverlap[0], exact.overlapAt(0, 0, 1));
}

TEST(RankVariance, IsTheMeanVarianceOfTheUnionRelativeToItsFirstValue) {
    const FullPass full = makePass(120);
    const auto value = [&](std::size_t layer) {
        std::set<std::size_t> members;
        for (std::size_t l = layer - 2; l <= layer; ++l)
            for (std::size_t i : Oracle{full, 120}.best(l, 10)) members.insert(i);
        double total = 0.0;
        for (std::size_t i : members) {
            double sum = 0.0;
            double squares = 0.0;
            for (std::size_t l = layer - 2; l <= layer; ++l) {
                const double r = full.tspRanks->row(l)[i];
                sum += r;
                squares += r * r;
            }
            total += squares / 3.0 - sum / 3.0 * (sum / 3.0);
        }
        return total / static_cast<double>(members.size());
    };
    const auto variance = select::rankVariance(full, {10, 3});
    ASSERT_EQ(variance.size(), kLayers);
    EXPECT_TRUE(std::isnan(variance[0]) && std::isnan(variance[1]));
    EXPECT_DOUBLE_EQ(variance[2], 1.0);
    for (std::size_t l : {3U, 4U}) EXPECT_NEAR(variance[l], value(l) / value(2), 1e-9);
}

TEST(RankVariance, NothingToRankIsNotANumber) {
    for (double v : select::rankVariance(makePass(0), {})) EXPECT_TRUE(std::isnan(v));
    for (double v : select::rankVariance(makePass(20), {512, 9})) EXPECT_TRUE(std::isnan(v));
    EXPECT_DOUBLE_EQ(select::rankVariance(makePass(1), {512, 4})[4], 1.0);
    EXPECT_THROW(select::rankVariance(makePass(20), {0, 4}), Error);
}
