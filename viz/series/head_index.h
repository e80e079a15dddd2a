// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/plane.h"
#include "engine/trace/run.h"
#include "viz/series/position_axis.h"

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

namespace fkv::viz {

/// The scored tokens in at most kMost bins of equally many: the finest that strips are counted in.
/// A strip on the screen adds up neighbours.
struct StripBins {
    static constexpr std::int64_t kMost = 256;

    StripBins() = default;
    explicit StripBins(std::int64_t scoredTokens)
        : scored(scoredTokens),
          perBin((scoredTokens + kMost - 1) / kMost),
          count(perBin > 0 ? static_cast<int>((scoredTokens + perBin - 1) / perBin) : 0) {}

    std::int64_t scored = 0;
    std::int64_t perBin = 0;
    int count = 0;

    /// Tokens of the bins [first, last).
    TokenRange tokensOf(int first, int last) const {
        return {first * perBin, last * perBin < scored ? last * perBin : scored};
    }
    bool operator==(const StripBins&) const = default;
};

/// What a moved slider needs to know of one plane of ranks, without reading the plane: at 131,072
/// tokens x 32 layers x 8 heads that would be 134 MB a frame. Kept are the bin of every token in rank
/// order and the counts at every kStep-th rank, from the nearer of which an answer is walked. 0.2 MB and
/// 0.5 ms to build a head of 131,072 tokens. (Which survivors a preview keeps: trace::RankLevels.)
class HeadIndex {
public:
    static constexpr std::size_t kStep = 2048;

    /// `positions` of the plane's columns, ascending (more may follow); empty: column = position.
    /// Null when stopped, and for ranks that are no permutation of the columns: those are counted
    /// one by one.
    static std::shared_ptr<const HeadIndex> build(const trace::PlanePtr<std::uint32_t>& ranks,
                                                  std::span<const std::int32_t> positions,
                                                  const StripBins& bins,
                                                  const std::stop_token& stop = {});

    const trace::PlanePtr<std::uint32_t>& ranks() const { return m_ranks; }
    const StripBins& bins() const { return m_bins; }
    std::size_t bytes() const;

    /// out[bin] = tokens of the bin that rank below `cut` for this head. out has bins().count
    /// values.
    void countBelow(int head, std::uint32_t cut, std::span<std::uint32_t> out) const;

private:
    bool buildHead(std::size_t head, std::span<const std::uint8_t> binOfColumn);

    trace::PlanePtr<std::uint32_t> m_ranks;
    StripBins m_bins;
    std::size_t m_columns = 0;
    std::size_t m_steps = 0;                  ///< check points a head, the first at rank 0
    std::vector<std::uint8_t> m_binOfRank;    ///< [G, columns]
    std::vector<std::uint32_t> m_checkPoints; ///< [G, m_steps, bins]
};

using HeadIndexPtr = std::shared_ptr<const HeadIndex>;

/// The indexes at hand; any may be missing, as they are built while the window is alive.
struct HeadIndexes {
    std::vector<HeadIndexPtr> full; ///< [L] of the full pass
    std::vector<HeadIndexPtr> late; ///< of the rerun's layers, compacted

    /// The index of this very plane over these bins, or null.
    const HeadIndex* find(const trace::PlanePtr<std::uint32_t>& ranks, const StripBins& bins) const;
    std::size_t bytes() const;
};

/// Indexes of all layers of a pass; empty when stopped.
std::vector<HeadIndexPtr> indexFullPass(const trace::FullPass& full, const StripBins& bins,
                                        const std::stop_token& stop = {});
std::vector<HeadIndexPtr> indexRerun(const trace::FastKvPass& pass, const StripBins& bins,
                                     const std::stop_token& stop = {});

} // namespace fkv::viz
