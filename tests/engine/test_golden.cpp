// SPDX-License-Identifier: Apache-2.0
// The demo model against reference answers computed with the official selection code (SPEC section
// 9).
#include "engine/select/fate.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/golden_case.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <set>

using namespace fkv;
using namespace fkv::testing;

namespace {

void expectSaliency(std::span<const float> got, std::span<const float> expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_LE(std::abs(got[i] - expected[i]), 1e-3F * std::abs(expected[i]) + 1e-7F) << i;
}

void expectLogits(std::span<const float> got, std::span<const float> expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], expected[i], 2e-3F) << i;
}

class Golden : public ::testing::TestWithParam<int> {
protected:
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        const GoldenCase golden =
            goldenCase(FKV_TEST_DATA "/golden", GetParam(), demo().model().layers);
        m_file = golden.file;
        m_ids = golden.ids;
        run::Request request = requestFor(golden.ids);
        request.settings = golden.settings;
        request.tables = false;
        m_run = analyse(demo(), request);
    }

    /// The model's end of sequence does not end the reference answers, but ours.
    static void expectGreedy(const trace::Answer& answer, std::vector<std::int32_t> expected) {
        std::vector<std::int32_t> ids;
        for (const trace::AnswerToken& token : answer.tokens)
            ids.push_back(token.id);
        if (answer.endOfSequence() && ids.size() < expected.size()) expected.resize(ids.size());
        EXPECT_EQ(ids, expected);
    }

    /// Equal up to tokens tied at the cut: float noise decides between plateaus of max pooling.
    void expectKept(const std::vector<std::int32_t>& kept, int layer) {
        const trace::Budgets& b = m_run->fastkv->budgets;
        const std::vector<std::int32_t>& survivors = m_run->fastkv->survivors;
        const auto expected = values<std::int32_t>(m_file, "fastkv.kept." + std::to_string(layer));
        const auto scores = values<float>(m_file, "fastkv.saliency." + std::to_string(layer));
        ASSERT_EQ(kept.size(), expected.size());
        const auto heads = static_cast<std::size_t>(m_run->model.kvHeads);
        const std::size_t c = kept.size() / heads, m = scores.size() / heads;
        const bool reduced = layer >= b.firstLate();
        for (std::size_t g = 0; g < heads; ++g) {
            const std::set<std::int32_t> ours(kept.begin() + static_cast<std::ptrdiff_t>(g * c),
                                              kept.begin() +
                                                  static_cast<std::ptrdiff_t>((g + 1) * c));
            const std::set<std::int32_t> theirs(
                expected.begin() + static_cast<std::ptrdiff_t>(g * c),
                expected.begin() + static_cast<std::ptrdiff_t>((g + 1) * c));
            ASSERT_EQ(ours.size(), c) << "a position is listed twice";
            const auto scoreOf = [&](std::int32_t position) {
                const auto column =
                    reduced ? std::lower_bound(survivors.begin(), survivors.end(), position) -
                                  survivors.begin()
                            : position;
                return scores[g * m + static_cast<std::size_t>(column)];
            };
            float cut = std::numeric_limits<float>::infinity();
            for (const std::int32_t position : theirs)
                if (position < m_run->scored()) cut = std::min(cut, scoreOf(position));
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
    trace::RunPtr m_run;
};

TEST_P(Golden, FullContext) {
    expectLogits(m_run->full->logits, values<float>(m_file, "full.logits"));
    std::vector<float> saliency;
    for (const trace::LayerPlanes& planes : m_run->full->layers) {
        const auto layer = planes.saliency->values();
        saliency.insert(saliency.end(), layer.begin(), layer.end());
    }
    expectSaliency(saliency, values<float>(m_file, "full.saliency"));
    expectGreedy(*m_run->fullAnswer, values<std::int32_t>(m_file, "full.greedy"));
}

TEST_P(Golden, FastKv) {
    const trace::FastKvPass& fastkv = *m_run->fastkv;
    EXPECT_EQ(fastkv.survivors, values<std::int32_t>(m_file, "fastkv.tsp_indices"));
    expectLogits(fastkv.logits, values<float>(m_file, "fastkv.logits"));
    const trace::FatePtr fate = select::computeFate(*m_run, fastkv.settings);
    EXPECT_EQ(fate->state(), trace::State::Exact);
    for (int layer = 0; layer < m_run->model.layers; ++layer) {
        std::vector<std::int32_t> kept;
        for (int head = 0; head < m_run->model.kvHeads; ++head) {
            const auto positions = select::keptPositions(*fate, layer, head);
            kept.insert(kept.end(), positions.begin(), positions.end());
        }
        expectKept(kept, layer);
    }
    for (std::size_t i = 0; i < fastkv.late.size(); ++i)
        expectSaliency(
            fastkv.late[i].saliency->values(),
            values<float>(m_file, "fastkv.saliency." + std::to_string(fastkv.budgets.firstLate() +
                                                                      static_cast<int>(i))));
    expectGreedy(*m_run->fastkvAnswer, values<std::int32_t>(m_file, "fastkv.greedy"));
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, ::testing::Values(0, 1, 2));

} // namespace
