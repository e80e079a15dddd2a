// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "viz/series/position_axis.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::viz {

/// Who decides whether a token counts as kept.
struct Decider {
    enum class Kind : std::uint8_t {
        Tsp,     ///< it passes TSP
        AnyHead, ///< at least one KV head of `layer` keeps it
        Head     ///< KV head `head` of `layer` keeps it
    };
    Kind kind = Kind::Tsp;
    int layer = 0;
    int head = 0;
    bool operator==(const Decider&) const = default;
};

/// Positions kept, window included. One pass over the ranks of one layer: at 131,072 tokens and 8
/// heads well under a millisecond or two.
trace::PositionSet keptTokens(const trace::Fate& fate, const Decider& decider);

/// Does at least one head of the layer keep at least one of the tokens?
bool someHeadKeepsAny(const trace::Fate& fate, int layer, TokenRange tokens);

/// How a token is drawn: importance as lightness, fate as marks.
struct TokenLook {
    float share = 0.0F;  ///< of the ramp, in [0, 1]; 0 for the window
    bool window = false; ///< always kept, has no score
    bool kept = false;
    bool tied = false; ///< at the cut of the decider, where scores are known
    bool lost = false; ///< dropped by TSP, yet among the best 1 % of a later layer
};

/// The looks of all tokens under one fate: importance by all heads of one layer of the full pass.
/// Made anew for every fate; what it holds is O(N) bits. `run` and `fate` must outlive nothing:
/// shared.
class TokenLooks {
public:
    TokenLooks() = default;
    TokenLooks(trace::RunPtr run, trace::FatePtr fate, int layer, const Decider& decider);

    bool valid() const { return m_run != nullptr; }
    TokenLook at(std::int64_t token) const;
    /// Do both show the same importance, whatever its fate?
    bool sameScores(const TokenLooks& other) const;
    /// Ranks by all heads of the layer, [M]; empty when the run has none.
    std::span<const std::uint32_t> ranks() const;
    /// Rank by all heads of the layer, or -1 for the window.
    std::int64_t rank(std::int64_t token) const;
    const trace::PositionSet& kept() const { return m_kept; }
    const Decider& decider() const { return m_decider; }
    int layer() const { return m_layer; }
    /// Exact or preview: of what the decider decides.
    trace::State state() const { return m_state; }

private:
    /// Scores at the cut of one head, or of TSP, which adds all heads up.
    struct Cut {
        int firstRow = 0, rows = 0;
        double score = 0.0;
    };
    void findCuts();
    void addCut(int firstRow, int rows, std::span<const std::uint32_t> ranks, std::int64_t kept);
    double score(const Cut& cut, std::size_t column) const;
    bool tied(std::int64_t token) const;
    bool lost(std::int64_t token) const;

    trace::RunPtr m_run;
    trace::FatePtr m_fate;
    trace::PositionSet m_kept;
    Decider m_decider;
    int m_layer = 0;
    trace::State m_state = trace::State::Exact;
    trace::PlanePtr<float> m_saliency; ///< that decided; null when not known
    bool m_compacted = false;          ///< its columns are survivors
    std::vector<Cut> m_cuts;
};

} // namespace fkv::viz
