// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace fkv::trace {

/// A set of prompt positions.
class PositionSet {
public:
    PositionSet() = default;
    explicit PositionSet(std::int64_t size, bool all = false)
        : m_size(size), m_words(static_cast<std::size_t>((size + 63) / 64), all ? ~0ULL : 0ULL) {
        if (all && size % 64 != 0) m_words.back() &= (1ULL << (size % 64)) - 1;
    }
    /// Of bits, 64 a word, the first as the lowest; none behind the last position.
    PositionSet(std::int64_t size, std::vector<std::uint64_t> words)
        : m_size(size), m_words(std::move(words)) {}
    std::int64_t size() const { return m_size; }
    bool has(std::int64_t i) const { return (m_words[static_cast<std::size_t>(i >> 6)] >> (i & 63)) & 1U; }
    void add(std::int64_t i) { m_words[static_cast<std::size_t>(i >> 6)] |= 1ULL << (i & 63); }
    std::int64_t count() const { return count(0, m_size); }
    std::int64_t count(std::int64_t begin, std::int64_t end) const;  ///< members in [begin, end)
    const std::vector<std::uint64_t>& words() const { return m_words; }

private:
    std::int64_t m_size = 0;
    std::vector<std::uint64_t> m_words;
};

/// What one layer keeps. Head g keeps a scored token that arrives when its rank is below cut[g];
/// the window is always kept.
struct LayerFate {
    std::int64_t entering = 0;  ///< S
    std::int64_t kept = 0;      ///< C, the same for every head
    State state = State::Exact;
    /// True: `cut` applies to `ranks` on the compacted axis (columns are survivors).
    bool compacted = false;
    PlanePtr<std::uint32_t> ranks;   ///< [G, columns]: the plane that decides
    std::vector<std::uint32_t> cut;  ///< [G]
    std::vector<std::int32_t> tied;  ///< [G] tokens tied at the cut, or -1 when not known
    /// Where cuts of a preview had to be searched for; else null and empty. The levels of `ranks`; how
    /// many scored survivors lie on each, [G, levels->count()]; and which of them each head keeps, [G].
    std::shared_ptr<const RankLevels> levels;
    std::vector<std::uint32_t> arrivedOn;
    std::vector<PositionSet> keptSurvivors;
};

/// What happens to every token under one setting: who passes TSP and what each KV head keeps.
/// Computed from a Run and settings by engine/select; exact or preview layer by layer. Immutable.
struct Fate {
    Settings settings;
    Budgets budgets;
    PositionSet passes;                   ///< over N positions, window included; all when TSP is off
    std::vector<std::int32_t> survivors;  ///< ascending, all N when TSP is off
    /// Index of a position among the survivors, -1 if it did not pass; empty when TSP is off.
    std::vector<std::int32_t> compactedIndex;
    std::vector<LayerFate> layers;        ///< [L]
    std::int32_t tspTied = -1;            ///< tokens tied at the TSP cut
    State state() const;                  ///< the least certain of all layers

    std::int64_t tokens() const { return budgets.tokens; }
    bool isWindow(std::int64_t token) const { return token >= tokens() - budgets.window; }
    /// Does the token enter this layer?
    bool arrives(int layer, std::int64_t token) const {
        return layer < budgets.firstLate() || passes.has(token);
    }
    /// Is the token in the cache of this KV head?
    bool keeps(int layer, int head, std::int64_t token) const;
    /// In how many KV heads of this layer?
    int keptHeads(int layer, std::int64_t token) const;
};

using FatePtr = std::shared_ptr<const Fate>;

/// Number of scores tied with the cut (|score - cut| <= 1e-4 |cut| + 1e-7) when `count` are kept;
/// 0 when nothing or everything is kept (SPEC section 5).
std::int64_t tiedAtCut(std::span<const float> scores, std::span<const std::uint32_t> ranks,
                       std::int64_t count);

}  // namespace fkv::trace
