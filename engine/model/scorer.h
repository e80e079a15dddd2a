// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/transformer.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace fkv::model {

struct Scoring {
    int window = 8; ///< w, at most kMostWindow
    int kernel = 7;
    bool average = false;
    bool operator==(const Scoring&) const = default;
};

/// Scores the keys of a layer (SPEC section 1) in scratch that is made once for all layers of a
/// pass.
class Scorer {
public:
    /// `mostScored` is the largest M = S - w of the pass.
    Scorer(Transformer& transformer, std::int64_t mostScored);

    /// In a layer whose window hides tokens there are two scores (SPEC, section 5): the window sums
    /// and saliency are those of what the queries really see, and only tokens that the next token
    /// can see score; the total, which TSP ranks by, is that of the whole row, since later layers
    /// may see further.
    /// Results in backend memory, valid until the next run() but one: while those of a layer are
    /// delivered the next is scored. M = S - w, 0 when S <= w.
    struct Views {
        std::int64_t scored = 0; ///< M
        ops::View windowSums;    ///< [H, M]
        ops::View saliency;      ///< [G, M]
        ops::View total;         ///< [1, M], summed over groups
        ops::View ranks;         ///< [G, M] U32
        ops::View tspRanks;      ///< [1, M] U32
    };
    struct Layer {
        ops::View lastQueries; ///< [at least min(w, S), H d], newest last
        ops::KvView keys;      ///< length S
        Scoring scoring;
        bool forDelivery = false; ///< no op reads the ranks (ops::RanksParams)
        int layer = 0;
        /// [S] original positions, ascending; empty: 0, 1, 2, ...
        std::span<const std::int32_t> positions = {};
    };
    const Views& run(const Layer& layer, PassScope& scope);

private:
    /// What the window queries of a layer see: nothing set, the whole row.
    struct Sight {
        std::vector<std::int32_t> firstRows; ///< [w]
        std::int64_t firstCandidate = 0;     ///< of the next token
    };
    Sight sightOf(const Layer& layer, std::int64_t slidingWindow) const;
    void score(const Layer& layer, const Sight& sight, PassScope& scope);

    Transformer& m_transformer;
    std::int64_t m_most;
    /// Scores of KV heads and, in one more row, their sum; ranks likewise: one sort serves both.
    struct Set {
        ops::Tensor windowSums, scores, ranks;
    };
    std::array<Set, 2> m_sets;
    ops::Tensor m_hiddenTotal; ///< [1, M] of what a window leaves in sight: nobody ranks by it
    std::size_t m_next = 0;
    Views m_views;
};

} // namespace fkv::model
