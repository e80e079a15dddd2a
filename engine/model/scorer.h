// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/transformer.h"

#include <array>

#include <cstdint>

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
    };
    const Views& run(const Layer& layer, PassScope& scope);

private:
    Transformer& m_transformer;
    std::int64_t m_most;
    /// Scores of KV heads and, in one more row, their sum; ranks likewise: one sort serves both.
    struct Set {
        ops::Tensor windowSums, scores, ranks;
    };
    std::array<Set, 2> m_sets;
    std::size_t m_next = 0;
    Views m_views;
};

} // namespace fkv::model
