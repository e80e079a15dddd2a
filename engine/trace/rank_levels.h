// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/plane.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fkv::trace {

/// One byte for every rank of a plane: on which of at most 256 levels it lies, finer for better ranks.
/// What a moved slider reads in place of the ranks: a quarter of the bytes, and sixteen tokens an
/// instruction. Only tokens on the level that a cut crosses, 1 % of all and less, are looked up in the
/// plane, so that every answer stays exact. 0.2 ms to make a head of 131,072 tokens. Immutable.
class RankLevels {
public:
    static constexpr std::size_t kMost = 256;

    explicit RankLevels(PlanePtr<std::uint32_t> ranks);

    std::size_t count() const { return m_edges.size() - 1; }
    /// [count() + 1]: level i holds the ranks [edges()[i], edges()[i + 1]).
    const std::vector<std::uint32_t>& edges() const { return m_edges; }
    std::size_t bytes() const { return m_levels.size(); }
    /// The same before they are made.
    static std::size_t bytesFor(std::size_t heads, std::size_t columns) {
        return heads * ((columns + 63) / 64) * 64;
    }

    /// out[level] = how many of `columns` lie on it. out has count() values.
    void countLevels(std::size_t head, std::span<const std::int32_t> columns,
                     std::span<std::uint32_t> out) const;
    /// Words of 64 columns that a row needs.
    std::size_t words() const { return m_words; }
    /// Sets out's bits for the best `wanted` of the columns whose bit is set in `among` (64 a word, the
    /// first as the lowest; those behind the last column are ignored), all when there are fewer.
    /// `counts` are the levels of just these columns. Returns the smallest cut that they rank below.
    std::uint32_t best(std::size_t head, std::span<const std::uint64_t> among,
                       std::span<const std::uint32_t> counts, std::int64_t wanted,
                       std::span<std::uint64_t> out) const;

private:
    const std::uint8_t* row(std::size_t head) const { return m_levels.data() + head * m_words * 64; }

    PlanePtr<std::uint32_t> m_ranks;
    std::vector<std::uint32_t> m_edges;
    std::size_t m_words = 0;
    std::vector<std::uint8_t> m_levels;  ///< [G, 64 * m_words]
};

}  // namespace fkv::trace
