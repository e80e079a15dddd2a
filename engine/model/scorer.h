// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/transformer.h"

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

    /// Results in backend memory, valid until the next run(). M = S - w, 0 when S <= w.
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
    };
    const Views& run(const Layer& layer, PassScope& scope);

private:
    Transformer& m_transformer;
    std::int64_t m_most;
    ops::Tensor m_windowSums, m_saliency, m_total, m_ranks, m_tspRanks;
    Views m_views;
};

} // namespace fkv::model
