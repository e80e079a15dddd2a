// SPDX-License-Identifier: Apache-2.0
// What may be drawn and how often; answers that are drawn: test_session_sampling.cpp.
#include "engine/io/json_limits.h"
#include "engine/run/sampling.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <numeric>
#include <random>

using namespace fkv;
using run::Sampler;
using trace::Sampling;

namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Normalised, by id.
std::map<std::int32_t, double> chances(const Sampling& sampling, const std::vector<float>& logits) {
    Sampler sampler(sampling);
    std::map<std::int32_t, double> by;
    double total = 0.0;
    for (const Sampler::Candidate& c : sampler.candidates(logits)) {
        EXPECT_TRUE(by.emplace(c.id, c.weight).second) << "token " << c.id << " stands there twice";
        total += c.weight;
    }
    for (auto& [id, chance] : by)
        chance /= total;
    return by;
}

std::vector<std::int32_t> draws(const Sampling& sampling, const std::vector<float>& logits,
                                int steps) {
    Sampler sampler(sampling);
    std::vector<std::int32_t> out;
    for (int step = 0; step < steps; ++step)
        out.push_back(sampler.draw(logits, step));
    return out;
}

std::vector<float> normalLogits(std::size_t count, float spread, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0F, spread);
    std::vector<float> logits(count);
    for (float& logit : logits)
        logit = normal(random);
    return logits;
}

TEST(Sampling, TheGeneratorIsSplitmix64) {
    // As published by its authors for this seed.
    const std::vector<std::uint64_t> expected{6457827717110365317U, 3203168211198807973U,
                                              9817491932198370423U, 4593380528125082431U,
                                              16408922859458223821U};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(run::splitmix64(1234567, i), expected[i]);
}

TEST(Sampling, WhatMayBeDrawnIsWhatTransformersLeaves) {
    const nlohmann::json cases = io::readJson(FKV_TEST_DATA "/sampling.json");
    ASSERT_GT(cases.size(), 100U);
    for (const nlohmann::json& c : cases) {
        SCOPED_TRACE(c.dump());
        std::vector<float> logits;
        for (const nlohmann::json& logit : c["logits"])
            logits.push_back(logit.is_null() ? kNothing : logit.get<float>());
        const auto got = chances({c["temperature"], c["top_k"], c["top_p"], 0}, logits);
        std::vector<std::int32_t> kept;
        for (const auto& [id, chance] : got)
            kept.push_back(id);
        ASSERT_EQ(kept, c["kept"].get<std::vector<std::int32_t>>());
        for (std::size_t i = 0; i < kept.size(); ++i)
            EXPECT_NEAR(got.at(kept[i]), c["probabilities"][i].get<double>(), 1e-12);
    }
}

TEST(Sampling, ALargeVocabularyIsCutLikeASortedOne) {
    // Beyond what is sorted at first, also with many that are equal.
    for (const bool equal : {false, true}) {
        std::vector<float> logits = normalLogits(5000, 1.0F, 3);
        if (equal)
            for (float& logit : logits)
                logit = std::round(2.0F * logit);
        std::vector<std::int32_t> order(logits.size());
        std::iota(order.begin(), order.end(), 0);
        const auto at = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
        std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return at(a) != at(b) ? at(a) > at(b) : a > b;
        });
        double total = 0.0;
        for (const float logit : logits)
            total += std::exp(static_cast<double>(logit));
        for (const double topP : {0.01, 0.3, 0.7, 0.95, 0.9999}) {
            const auto got = chances({1.0, 0, topP, 0}, logits);
            double before = 0.0;
            std::size_t kept = 0;
            for (; kept < order.size() && before < topP; ++kept) {
                ASSERT_TRUE(got.contains(order[kept])) << topP << ", rank " << kept;
                before += std::exp(static_cast<double>(at(order[kept]))) / total;
            }
            EXPECT_EQ(got.size(), kept) << topP;
        }
    }
}

TEST(Sampling, TokensComeAsOftenAsTheyAreLikely) {
    const std::vector<float> logits{1.0F, 0.5F, 2.0F, -1.0F, 1.5F, kNothing, 0.75F};
    constexpr int kSteps = 40000;
    for (const Sampling& s :
         {Sampling{1.0, 0, 1.0, 3}, Sampling{0.5, 0, 1.0, 4}, Sampling{1.7, 4, 1.0, 5},
          Sampling{1.0, 0, 0.8, 6}, Sampling{2.5, 5, 0.7, 4'294'967'295U}}) {
        std::map<std::int32_t, int> count;
        for (const std::int32_t id : draws(s, logits, kSteps))
            ++count[id];
        const auto expected = chances(s, logits);
        for (const auto& [id, times] : count)
            EXPECT_TRUE(expected.contains(id)) << "token " << id << " was cut";
        for (const auto& [id, p] : expected) {
            const double deviation = std::sqrt(kSteps * p * (1.0 - p));
            EXPECT_NEAR(count[id], kSteps * p, 4.0 * deviation) << "token " << id;
        }
    }
}

TEST(Sampling, OneSeedGivesTheSameDrawsEverywhere) {
    // Made by another program from the definition in sampling.h.
    const std::vector<float> logits{1.0F, 0.5F, 2.0F, -1.0F, 1.5F};
    using Ids = std::vector<std::int32_t>;
    EXPECT_EQ(draws({1.0, 0, 1.0, 0}, logits, 24),
              (Ids{4, 2, 0, 2, 2, 4, 2, 0, 4, 0, 0, 2, 4, 2, 4, 4, 2, 1, 4, 0, 0, 1, 3, 0}));
    EXPECT_EQ(draws({1.0, 0, 1.0, 7}, logits, 24),
              (Ids{2, 2, 1, 2, 1, 4, 0, 2, 4, 4, 4, 4, 2, 4, 2, 2, 2, 4, 4, 4, 1, 2, 2, 2}));
    EXPECT_EQ(draws({1.0, 0, 1.0, 4'294'967'295U}, logits, 24),
              (Ids{0, 2, 2, 4, 2, 1, 4, 0, 4, 2, 4, 2, 2, 2, 0, 4, 2, 1, 4, 2, 4, 0, 2, 3}));
}

TEST(Sampling, AStepDoesNotDependOnThoseBefore) {
    const std::vector<float> logits = normalLogits(50, 1.0F, 1);
    const Sampling sampling{1.0, 0, 0.9, 12};
    const std::vector<std::int32_t> all = draws(sampling, logits, 20);
    Sampler sampler(sampling);
    for (const int step : {19, 3, 0, 7})
        EXPECT_EQ(sampler.draw(logits, step), all[static_cast<std::size_t>(step)]);
}

TEST(Sampling, CloseDistributionsMostlyTakeTheSameToken) {
    // Full context and FastKV race with the same numbers: equal distributions take the same token,
    // and close ones differ hardly more often than any two must, which is their distance.
    const std::vector<float> full = normalLogits(300, 2.0F, 5);
    std::vector<float> shifted = full, near = full;
    for (float& logit : shifted)
        logit += 4.0F; // the same distribution
    const std::vector<float> noise = normalLogits(300, 0.1F, 6);
    for (std::size_t i = 0; i < near.size(); ++i)
        near[i] += noise[i];
    const Sampling sampling{1.0, 0, 1.0, 9};
    constexpr int kSteps = 4000;
    const auto reference = draws(sampling, full, kSteps);
    EXPECT_EQ(draws(sampling, shifted, kSteps), reference);
    const auto a = chances(sampling, full), b = chances(sampling, near);
    double distance = 0.0; // in total variation
    for (const auto& [id, p] : a)
        distance += 0.5 * std::abs(p - b.at(id));
    const auto other = draws(sampling, near, kSteps);
    int differ = 0;
    for (std::size_t i = 0; i < other.size(); ++i)
        differ += other[i] != reference[i] ? 1 : 0;
    EXPECT_GT(differ, 0);
    // Two exponential races with the same numbers differ with a chance of 2 d / (1 + d) at most.
    EXPECT_LE(differ, kSteps * 2.0 * distance / (1.0 + distance));
    // Under another seed nearly everything differs.
    int same = 0;
    const auto unrelated = draws({1.0, 0, 1.0, 10}, full, kSteps);
    for (std::size_t i = 0; i < other.size(); ++i)
        same += unrelated[i] == reference[i] ? 1 : 0;
    EXPECT_LT(same, kSteps / 4);
}

TEST(Sampling, OddLogitsAreHarmless) {
    const auto only = [](const Sampling& s, const std::vector<float>& logits) {
        const auto got = chances(s, logits);
        EXPECT_EQ(got.size(), 1U);
        EXPECT_EQ(draws(s, logits, 1).front(), got.begin()->first);
        return got.begin()->first;
    };
    for (const Sampling& s : {Sampling{1.0, 0, 1.0, 0}, Sampling{0.7, 2, 0.5, 0}}) {
        EXPECT_EQ(only(s, {kNothing, kNothing}), 0);
        EXPECT_EQ(only(s, {kNaN, kNaN, kNaN}), 0);
        EXPECT_EQ(only(s, {kNaN, 1.0F, kNaN}), 1);
        EXPECT_EQ(only(s, {5.0F}), 0);
    }
    // A temperature that only just is one, and a logit beyond all others.
    const double least = std::numeric_limits<double>::denorm_min();
    EXPECT_EQ(draws({least, 0, 1.0, 0}, {1.0F, 2.0F, 1.5F}, 4), std::vector<std::int32_t>(4, 1));
    EXPECT_EQ(draws({1.0, 0, 1.0, 0}, {1.0F, 2.0F, -kNothing}, 4), std::vector<std::int32_t>(4, 2));
}

} // namespace
