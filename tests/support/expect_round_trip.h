// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <tuple>
#include <vector>

// Field by field comparison of runs. Window sums may be halves on one side: then nearly equal.
namespace fkv::testing {

using namespace fkv::trace;

template <class T>
void expectSamePlane(const PlanePtr<T>& got, const PlanePtr<T>& expected) {
    ASSERT_EQ(got == nullptr, expected == nullptr);
    if (!got) return;
    EXPECT_EQ(got->rows(), expected->rows());
    EXPECT_EQ(got->cols(), expected->cols());
    EXPECT_TRUE(std::ranges::equal(got->values(), expected->values()));
}

inline void expectSameSums(const WindowSums* got, const WindowSums* expected) {
    ASSERT_EQ(got == nullptr, expected == nullptr);
    if (got == nullptr) return;
    EXPECT_FALSE(got->exact());
    ASSERT_EQ(got->heads(), expected->heads());
    ASSERT_EQ(got->tokens(), expected->tokens());
    if (!expected->exact()) {
        expectSamePlane(got->half(), expected->half());
        expectSamePlane(got->scales(), expected->scales());
        return;
    }
    std::vector<float> a(got->tokens()), b(got->tokens());
    for (std::size_t h = 0; h < got->heads(); ++h) {
        got->row(h, a);
        expected->row(h, b);
        const float most = b.empty() ? 0.0F : *std::max_element(b.begin(), b.end());
        for (std::size_t i = 0; i < a.size();
             ++i) // eleven bits, and a floor far below the row's best
            ASSERT_NEAR(a[i], b[i], b[i] * 0x1p-11F + most * 0x1p-38F);
    }
}

inline void expectSamePlanes(const LayerPlanes& got, const LayerPlanes& expected) {
    // No file holds them: they follow from the ranks.
    EXPECT_EQ(got.levels != nullptr, expected.levels != nullptr);
    expectSamePlane(got.ranks, expected.ranks);
    expectSamePlane(got.saliency, expected.saliency);
    expectSameSums(got.sums.get(), expected.sums.get());
}

inline void expectSameCurves(const StabilizationTable& got, const StabilizationTable& expected) {
    EXPECT_EQ(got.k, expected.k);
    EXPECT_EQ(got.layers, expected.layers);
    EXPECT_EQ(got.overlap, expected.overlap);
    EXPECT_EQ(got.recall, expected.recall);
    EXPECT_EQ(got.worstRecall, expected.worstRecall);
}

inline void expectSameFull(const FullPass& got, const FullPass& expected) {
    EXPECT_EQ(got.window, expected.window);
    EXPECT_EQ(got.kernel, expected.kernel);
    EXPECT_EQ(got.pooling, expected.pooling);
    EXPECT_EQ(got.notANumber, expected.notANumber);
    EXPECT_EQ(got.logits, expected.logits);
    ASSERT_EQ(got.layers.size(), expected.layers.size());
    for (std::size_t l = 0; l < got.layers.size(); ++l)
        expectSamePlanes(got.layers[l], expected.layers[l]);
    expectSamePlane(got.tspRanks, expected.tspRanks);
    expectSamePlane(got.mass, expected.mass);
    ASSERT_EQ(got.tables == nullptr, expected.tables == nullptr);
    if (!got.tables) return;
    expectSameCurves(got.tables->all, expected.tables->all);
    expectSameCurves(got.tables->withoutEnd, expected.tables->withoutEnd);
    EXPECT_EQ(got.tables->heads.k, expected.tables->heads.k);
    EXPECT_EQ(got.tables->heads.layers, expected.tables->heads.layers);
    EXPECT_EQ(got.tables->heads.kvHeads, expected.tables->heads.kvHeads);
    EXPECT_EQ(got.tables->heads.mass, expected.tables->heads.mass);
}

inline void expectSameFastKv(const FastKvPass* got, const FastKvPass* expected) {
    ASSERT_EQ(got == nullptr, expected == nullptr);
    if (got == nullptr) return;
    EXPECT_EQ(got->settings, expected->settings);
    EXPECT_EQ(got->budgets, expected->budgets);
    EXPECT_EQ(got->survivors, expected->survivors);
    EXPECT_EQ(got->logits, expected->logits);
    EXPECT_EQ(got->standalone, expected->standalone);
    ASSERT_EQ(got->late.size(), expected->late.size());
    for (std::size_t l = 0; l < got->late.size(); ++l)
        expectSamePlanes(got->late[l], expected->late[l]);
}

/// NaN equals NaN here.
inline void expectSameNumbers(const std::vector<double>& got, const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_TRUE(got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i])));
}

inline void expectSameAnswer(const Answer* got, const Answer* expected) {
    ASSERT_EQ(got == nullptr, expected == nullptr);
    if (got == nullptr) return;
    EXPECT_EQ(got->end, expected->end);
    EXPECT_EQ(got->msPerToken, expected->msPerToken);
    ASSERT_EQ(got->tokens.size(), expected->tokens.size());
    for (std::size_t i = 0; i < got->tokens.size(); ++i) {
        EXPECT_EQ(got->tokens[i].id, expected->tokens[i].id);
        EXPECT_EQ(got->tokens[i].text, expected->tokens[i].text);
        EXPECT_EQ(got->tokens[i].ms, expected->tokens[i].ms);
    }
}

inline void expectSameTops(const std::vector<TopFive>& got, const std::vector<TopFive>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t k = 0; k < got.size(); ++k)
        for (std::size_t i = 0; i < got[k].size(); ++i) {
            EXPECT_EQ(got[k][i].id, expected[k][i].id);
            EXPECT_EQ(got[k][i].text, expected[k][i].text);
            EXPECT_EQ(got[k][i].probability, expected[k][i].probability);
        }
}

inline void expectSameFidelity(const Fidelity* got, const Fidelity* expected) {
    ASSERT_EQ(got == nullptr, expected == nullptr);
    if (got == nullptr) return;
    expectSameNumbers(got->kl, expected->kl);
    EXPECT_EQ(got->sameTop1, expected->sameTop1);
    expectSameTops(got->fullTop, expected->fullTop);
    expectSameTops(got->fastkvTop, expected->fastkvTop);
}

inline void expectSameTiming(const Timing& got, const Timing& expected) {
    EXPECT_EQ(got.fullPrefillMs, expected.fullPrefillMs);
    EXPECT_EQ(got.fullPrefillWithCaptureMs, expected.fullPrefillWithCaptureMs);
    EXPECT_EQ(got.fastKvPrefillMs, expected.fastKvPrefillMs);
    EXPECT_EQ(got.rerunMs, expected.rerunMs);
    EXPECT_EQ(got.loadMs, expected.loadMs);
    EXPECT_EQ(got.reusedTokens, expected.reusedTokens);
    EXPECT_EQ(got.fastKvState, expected.fastKvState);
    expectSameNumbers(got.standaloneFullMs, expected.standaloneFullMs);
    expectSameNumbers(got.standaloneFastKvMs, expected.standaloneFastKvMs);
    EXPECT_EQ(got.peaks, expected.peaks);
    ASSERT_EQ(got.spans.size(), expected.spans.size());
    for (std::size_t i = 0; i < got.spans.size(); ++i) {
        const Span &a = got.spans[i], &b = expected.spans[i];
        EXPECT_EQ(std::tie(a.beginNs, a.endNs, a.zone, a.pass, a.layer, a.lane, a.tokens),
                  std::tie(b.beginNs, b.endNs, b.zone, b.pass, b.layer, b.lane, b.tokens));
    }
    EXPECT_EQ(got.kernels.names, expected.kernels.names);
    EXPECT_EQ(got.kernels.absent, expected.kernels.absent);
    ASSERT_EQ(got.kernels.kernels.size(), expected.kernels.kernels.size());
    for (std::size_t i = 0; i < got.kernels.kernels.size(); ++i) {
        const Kernel &a = got.kernels.kernels[i], &b = expected.kernels.kernels[i];
        EXPECT_EQ(std::tie(a.beginNs, a.endNs, a.span, a.name),
                  std::tie(b.beginNs, b.endNs, b.span, b.name));
    }
    ASSERT_EQ(got.gpu.size(), expected.gpu.size());
    for (std::size_t i = 0; i < got.gpu.size(); ++i) {
        const GpuSample &a = got.gpu[i], &b = expected.gpu[i];
        EXPECT_EQ(std::tie(a.ns, a.smMhz, a.memoryMhz, a.watts, a.celsius, a.limits),
                  std::tie(b.ns, b.smMhz, b.memoryMhz, b.watts, b.celsius, b.limits));
    }
}

inline void expectSameRecords(const Run& got, const Run& expected) {
    const ModelInfo &m = got.model, &n = expected.model;
    EXPECT_EQ(std::tie(m.name, m.path, m.layers, m.queryHeads, m.kvHeads, m.headDim, m.hidden,
                       m.intermediate, m.vocabulary, m.contextLength, m.weightBytes,
                       m.stepWeightBytes, m.kvElementBytes, m.fingerprint),
              std::tie(n.name, n.path, n.layers, n.queryHeads, n.kvHeads, n.headDim, n.hidden,
                       n.intermediate, n.vocabulary, n.contextLength, n.weightBytes,
                       n.stepWeightBytes, n.kvElementBytes, n.fingerprint));
    const Machine &a = got.machine, &b = expected.machine;
    EXPECT_EQ(std::tie(a.device, a.cpu, a.threads, a.blas, a.version, a.dateUtc),
              std::tie(b.device, b.cpu, b.threads, b.blas, b.version, b.dateUtc));
    const Prompt &p = *got.prompt, &q = *expected.prompt;
    EXPECT_EQ(std::tie(p.text, p.ids, p.bytes, p.pieces, p.expected),
              std::tie(q.text, q.ids, q.bytes, q.pieces, q.expected));
    EXPECT_TRUE(p.chat == q.chat);
    EXPECT_EQ(got.rung, expected.rung);
    const Counters &c = got.counters, &d = expected.counters;
    EXPECT_EQ(std::tie(c.kvBytesFull, c.checkpointBytes, c.planeBytes, c.scratchBytes, c.heldBytes,
                       c.peakBytes, c.standaloneFullPeakBytes, c.standaloneFastKvPeakBytes,
                       c.givenUp, c.checkpointLayers),
              std::tie(d.kvBytesFull, d.checkpointBytes, d.planeBytes, d.scratchBytes, d.heldBytes,
                       d.peakBytes, d.standaloneFullPeakBytes, d.standaloneFastKvPeakBytes,
                       d.givenUp, d.checkpointLayers));
}

inline void expectRoundTrip(const Run& got, const Run& expected) {
    EXPECT_TRUE(got.recorded);
    expectSameRecords(got, expected);
    ASSERT_EQ(got.full == nullptr, expected.full == nullptr);
    if (got.full) expectSameFull(*got.full, *expected.full);
    expectSameFastKv(got.fastkv.get(), expected.fastkv.get());
    expectSameAnswer(got.fullAnswer.get(), expected.fullAnswer.get());
    expectSameAnswer(got.fastkvAnswer.get(), expected.fastkvAnswer.get());
    expectSameFidelity(got.fidelity.get(), expected.fidelity.get());
    expectSameTiming(got.timing, expected.timing);
}

} // namespace fkv::testing
