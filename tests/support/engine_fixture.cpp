// SPDX-License-Identifier: Apache-2.0
#include "tests/support/engine_fixture.h"

#include <random>

namespace fkv::testing {

namespace {

void expectSamePlanes(const trace::LayerPlanes& a, const trace::LayerPlanes& b, std::size_t layer) {
    EXPECT_EQ(toVector(a.ranks), toVector(b.ranks)) << "layer " << layer;
    EXPECT_EQ(toVector(a.saliency), toVector(b.saliency)) << "layer " << layer;
    EXPECT_EQ(sumsOf(a), sumsOf(b)) << "layer " << layer;
}

void expectSameAnswer(const trace::Answer& a, const trace::Answer& b) {
    ASSERT_EQ(a.tokens.size(), b.tokens.size());
    for (std::size_t i = 0; i < a.tokens.size(); ++i) {
        EXPECT_EQ(a.tokens[i].id, b.tokens[i].id) << i;
        EXPECT_EQ(a.tokens[i].text, b.tokens[i].text) << i;
    }
    EXPECT_EQ(a.end, b.end);
}

void expectSameTables(const trace::StabilizationTable& a, const trace::StabilizationTable& b) {
    EXPECT_EQ(a.k, b.k);
    EXPECT_EQ(a.overlap, b.overlap);
    EXPECT_EQ(a.recall, b.recall);
    EXPECT_EQ(a.worstRecall, b.worstRecall);
}

} // namespace

std::vector<std::int32_t> randomIds(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::int32_t> ids(count);
    for (std::int32_t& id : ids)
        id = static_cast<std::int32_t>(300 + random() % 7000);
    return ids;
}

void expectSameRun(const trace::Run& a, const trace::Run& b) {
    EXPECT_EQ(a.prompt->ids, b.prompt->ids);
    ASSERT_EQ(a.full->layers.size(), b.full->layers.size());
    for (std::size_t l = 0; l < a.full->layers.size(); ++l)
        expectSamePlanes(a.full->layers[l], b.full->layers[l], l);
    EXPECT_EQ(toVector(a.full->tspRanks), toVector(b.full->tspRanks));
    EXPECT_EQ(toVector(a.full->mass), toVector(b.full->mass));
    EXPECT_EQ(a.full->logits, b.full->logits);
    EXPECT_EQ(a.full->notANumber, b.full->notANumber);
    ASSERT_EQ(a.full->tables == nullptr, b.full->tables == nullptr);
    if (a.full->tables) {
        expectSameTables(a.full->tables->all, b.full->tables->all);
        expectSameTables(a.full->tables->withoutEnd, b.full->tables->withoutEnd);
        EXPECT_EQ(a.full->tables->heads.mass, b.full->tables->heads.mass);
    }
    EXPECT_EQ(a.fastkv->settings, b.fastkv->settings);
    EXPECT_EQ(a.fastkv->budgets, b.fastkv->budgets);
    EXPECT_EQ(a.fastkv->survivors, b.fastkv->survivors);
    EXPECT_EQ(a.fastkv->logits, b.fastkv->logits);
    ASSERT_EQ(a.fastkv->late.size(), b.fastkv->late.size());
    for (std::size_t l = 0; l < a.fastkv->late.size(); ++l)
        expectSamePlanes(a.fastkv->late[l], b.fastkv->late[l], l);
    expectSameAnswer(*a.fullAnswer, *b.fullAnswer);
    expectSameAnswer(*a.fastkvAnswer, *b.fastkvAnswer);
    ASSERT_EQ(a.fidelity == nullptr, b.fidelity == nullptr);
    if (!a.fidelity) return;
    EXPECT_EQ(a.fidelity->kl, b.fidelity->kl);
    EXPECT_EQ(a.fidelity->sameTop1, b.fidelity->sameTop1);
}

} // namespace fkv::testing
