// SPDX-License-Identifier: Apache-2.0
// The demo model against reference answers computed with the official selection code (SPEC section 9).
#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"
#include "engine/run/passes.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <set>

using namespace fkv;

namespace {

template <class T>
std::vector<T> values(const io::SafetensorsFile& file, const std::string& name) {
    const io::TensorEntry* entry = file.find(name);
    if (entry == nullptr) throw Error(ErrorCode::BadFile, "no " + name);
    std::vector<T> out(entry->bytes.size() / sizeof(T));
    std::memcpy(out.data(), entry->bytes.data(), entry->bytes.size());
    return out;
}

/// The demo model on two threads, loaded once for all cases.
struct Engine {
    model::Config config = model::readConfig(FKV_RESOURCES "/models/demo");
    std::unique_ptr<ops::Backend> backend = makeCpuBackend(2);
    model::Weights weights =
        model::loadWeights(FKV_RESOURCES "/models/demo", config, *backend, {}, {});
    model::Transformer transformer{config, weights, *backend};
    trace::ModelInfo info() const {
        trace::ModelInfo m;
        m.layers = config.layers;
        m.queryHeads = config.queryHeads;
        m.kvHeads = config.kvHeads;
        m.headDim = config.headDim;
        return m;
    }
};

Engine& engine() {
    static Engine e;
    return e;
}

void expectSaliency(std::span<const float> got, std::span<const float> expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_LE(std::abs(got[i] - expected[i]), 1e-3F * std::abs(expected[i]) + 1e-7F) << i;
}

void expectLogits(std::span<const float> got, std::span<const float> expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-3F) << i;
}

class Golden : public testing::TestWithParam<int> {
protected:
    void SetUp() override {
        const auto json = io::readJson(FKV_TEST_DATA "/golden/cases.json");
        const auto& c = json.at(static_cast<std::size_t>(GetParam()));
        m_file = io::SafetensorsFile::open(FKV_TEST_DATA "/golden/" + c.at("name").get<std::string>() +
                                           ".safetensors");
        m_ids = values<std::int32_t>(m_file, "input_ids");
        m_settings = select::defaultSettings(engine().config.layers);
        m_settings.tspLayer = c.at("tsp_layer");
        m_settings.tsp = trace::Amount::ofRate(c.at("tsp_rate"));
        m_settings.kv = trace::Amount::ofRate(c.at("retain_rate"));
        m_settings.window = c.value("window", 8);
        m_settings.kernel = c.value("kernel", 7);
        const bool average = c.value("pooling", "maxpool") == "avgpool";
        m_settings.pooling = average ? trace::Pooling::Average : trace::Pooling::Max;
        m_options.scoring = {m_settings.window, m_settings.kernel, average};
        m_full = run::fullPass(engine().transformer, m_ids, m_options);
    }
    trace::Budgets budgets(const trace::Settings& s) const {
        return select::computeBudgets(s, engine().info(), m_full.tokens);
    }
    std::vector<std::int32_t> greedy(const run::RerunResult* late, const trace::Budgets& b) {
        auto cache = run::decodeCache(engine().transformer, m_full, late, b, 32);
        return run::greedy(engine().transformer,
            {late != nullptr ? late->logits : m_full.logits, cache.layers, m_full.tokens, 32, false});
    }

    /// Equal up to tokens tied at the cut: float noise decides between plateaus of max pooling.
    void expectKept(const std::vector<std::int32_t>& kept, int layer, const run::RerunResult& late,
                    const trace::Budgets& b) {
        const auto expected = values<std::int32_t>(m_file, "fastkv.kept." + std::to_string(layer));
        const auto scores = values<float>(m_file, "fastkv.saliency." + std::to_string(layer));
        ASSERT_EQ(kept.size(), expected.size());
        const auto heads = static_cast<std::size_t>(engine().config.kvHeads);
        const std::size_t c = kept.size() / heads, m = scores.size() / heads;
        const bool reduced = layer >= b.firstLate();
        for (std::size_t g = 0; g < heads; ++g) {
            const std::set<std::int32_t> ours(kept.begin() + static_cast<std::ptrdiff_t>(g * c),
                                              kept.begin() + static_cast<std::ptrdiff_t>((g + 1) * c));
            const std::set<std::int32_t> theirs(expected.begin() + static_cast<std::ptrdiff_t>(g * c),
                                                expected.begin() + static_cast<std::ptrdiff_t>((g + 1) * c));
            ASSERT_EQ(ours.size(), c) << "a position is listed twice";
            const auto scoreOf = [&](std::int32_t position) {
                const auto column =
                    reduced ? std::lower_bound(late.survivors.begin(), late.survivors.end(), position) -
                                  late.survivors.begin()
                            : position;
                return scores[g * m + static_cast<std::size_t>(column)];
            };
            float cut = std::numeric_limits<float>::infinity();
            for (const std::int32_t position : theirs)
                if (position < m_full.tokens - b.window) cut = std::min(cut, scoreOf(position));
            std::vector<std::int32_t> differing;
            std::set_symmetric_difference(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                                          std::back_inserter(differing));
            for (const std::int32_t position : differing)
                EXPECT_LE(std::abs(scoreOf(position) - cut), 1e-4F * std::abs(cut) + 1e-7F)
                    << "layer " << layer << " head " << g << " token " << position;
        }
    }

    io::SafetensorsFile m_file;
    std::vector<std::int32_t> m_ids;
    trace::Settings m_settings;
    run::PassOptions m_options;
    run::FullResult m_full;
};

TEST_P(Golden, FullContext) {
    expectLogits(m_full.logits, values<float>(m_file, "full.logits"));
    std::vector<float> saliency;
    for (const auto& s : m_full.scores) saliency.insert(saliency.end(), s.saliency.begin(), s.saliency.end());
    expectSaliency(saliency, values<float>(m_file, "full.saliency"));
    EXPECT_EQ(greedy(nullptr, budgets(m_settings)), values<std::int32_t>(m_file, "full.greedy"));
}

TEST_P(Golden, FastKv) {
    const trace::Budgets b = budgets(m_settings);
    const run::RerunResult late = run::rerun(engine().transformer, m_full, b, m_options);
    EXPECT_EQ(late.survivors, values<std::int32_t>(m_file, "fastkv.tsp_indices"));
    expectLogits(late.logits, values<float>(m_file, "fastkv.logits"));
    for (int layer = 0; layer < engine().config.layers; ++layer) {
        std::vector<std::int32_t> kept;
        for (const auto& head : run::keptPositions(m_full, late, b, layer))
            kept.insert(kept.end(), head.begin(), head.end());
        expectKept(kept, layer, late, b);
    }
    for (std::size_t i = 0; i < late.scores.size(); ++i)
        expectSaliency(late.scores[i].saliency,
                       values<float>(m_file, "fastkv.saliency." +
                                                 std::to_string(b.firstLate() + static_cast<int>(i))));
    EXPECT_EQ(greedy(&late, b), values<std::int32_t>(m_file, "fastkv.greedy"));
}

TEST_P(Golden, RatesOfOneAreFullContextBitForBit) {
    m_settings.tsp = m_settings.kv = trace::Amount::ofRate(1.0);
    const trace::Budgets b = budgets(m_settings);
    const run::RerunResult late = run::rerun(engine().transformer, m_full, b, m_options);
    EXPECT_EQ(late.logits, m_full.logits);
    EXPECT_EQ(greedy(&late, b), greedy(nullptr, b));
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::Values(0, 1, 2));

TEST(Passes, PromptsOfOneTokenAndShorterThanTheWindowKeepEverything) {
    const trace::Settings settings = select::defaultSettings(engine().config.layers);
    for (const std::int64_t tokens : {1, 5, 8, 9, 12}) {
        const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens), 300);
        const run::FullResult full = run::fullPass(engine().transformer, ids, {});
        const trace::Budgets b = select::computeBudgets(settings, engine().info(), tokens);
        const run::RerunResult late = run::rerun(engine().transformer, full, b, {});
        for (const float logit : late.logits) ASSERT_TRUE(std::isfinite(logit));
        for (const auto& head : run::keptPositions(full, late, b, 0))
            EXPECT_EQ(static_cast<std::int64_t>(head.size()), std::min<std::int64_t>(tokens, 8));
    }
}

}  // namespace
