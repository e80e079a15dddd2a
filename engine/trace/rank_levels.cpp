// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/rank_levels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace fkv::trace {

namespace {

constexpr std::size_t kWord = 64;

/// By the third power: as fine among the best ranks as the tables of mass are, and a third of a
/// logarithm's width in the middle, where cuts lie.
std::vector<std::uint32_t> makeEdges(std::size_t columns) {
    std::vector<std::uint32_t> edges{0};
    for (std::size_t i = 1; i <= RankLevels::kMost; ++i) {
        const double share = static_cast<double>(i) / RankLevels::kMost;
        const auto edge = static_cast<std::uint32_t>(
            std::lround(share * share * share * static_cast<double>(columns)));
        if (edge > edges.back()) edges.push_back(edge);
    }
    return edges;
}

/// 64 tokens as bits.
struct Split {
    std::uint64_t better = 0;  ///< on a better level
    std::uint64_t on = 0;      ///< on this very level
};

inline Split split(const std::uint8_t* levels, std::uint8_t level) {
    Split split;
#ifdef __SSE2__
    const __m128i own = _mm_set1_epi8(static_cast<char>(level));
    for (std::size_t i = 0; i < kWord; i += 16) {
        const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels + i));
        const auto bits = [i](__m128i mask) {
            return std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(mask))} << i;
        };
        // There is no unsigned comparison: what the maximum leaves as it is, is no smaller.
        const __m128i noBetter = _mm_cmpeq_epi8(_mm_max_epu8(here, own), here);
        split.better |= bits(noBetter);
        split.on |= bits(_mm_cmpeq_epi8(here, own));
    }
    split.better = ~split.better;
#else
    for (std::size_t i = 0; i < kWord; ++i) {
        split.better |= std::uint64_t{levels[i] < level} << i;
        split.on |= std::uint64_t{levels[i] == level} << i;
    }
#endif
    return split;
}

}  // namespace

RankLevels::RankLevels(PlanePtr<std::uint32_t> ranks)
    : m_ranks(std::move(ranks)),
      m_edges(makeEdges(m_ranks->cols())),
      m_words((m_ranks->cols() + kWord - 1) / kWord),
      m_levels(bytesFor(m_ranks->rows(), m_ranks->cols())) {
    if (m_ranks->empty()) return;
    std::vector<std::uint8_t> levelOfRank;
    for (std::size_t i = 0; i < count(); ++i)
        levelOfRank.resize(m_edges[i + 1], static_cast<std::uint8_t>(i));
    for (std::size_t g = 0; g < m_ranks->rows(); ++g) {
        std::uint8_t* levels = m_levels.data() + g * m_words * kWord;
        // A rank that is none must not lead out of the table.
        for (const std::uint32_t rank : m_ranks->row(g))
            *levels++ = levelOfRank[std::min<std::size_t>(rank, levelOfRank.size() - 1)];
    }
}

void RankLevels::countLevels(std::size_t head, std::span<const std::int32_t> columns,
                             std::span<std::uint32_t> out) const {
    const std::uint8_t* levels = row(head);
    // Neighbours are often on one level: by turns into four counts, no addition waits for the last.
    constexpr std::size_t kTurns = 4;
    std::array<std::array<std::uint32_t, kMost>, kTurns> counts{};
    std::size_t j = 0;
    for (; j + kTurns <= columns.size(); j += kTurns)
        for (std::size_t turn = 0; turn < kTurns; ++turn) ++counts[turn][levels[columns[j + turn]]];
    for (; j < columns.size(); ++j) ++counts[0][levels[columns[j]]];
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
}

std::uint32_t RankLevels::best(std::size_t head, std::span<const std::uint64_t> among,
                               std::span<const std::uint32_t> counts, std::int64_t wanted,
                               std::span<std::uint64_t> out) const {
    if (wanted <= 0) {
        std::fill(out.begin(), out.end(), std::uint64_t{0});
        return 0;
    }
    std::size_t level = 0;
    while (level < counts.size() && counts[level] < wanted) wanted -= counts[level++];
    const bool all = level == counts.size();
    if (all) level = 0;
    const auto ranks = m_ranks->row(head);
    const std::uint8_t* levels = row(head);
    std::vector<std::uint32_t> on;  // columns of the cut's own level
    for (std::size_t w = 0; w < m_words; ++w) {
        const std::size_t left = m_ranks->cols() - w * kWord;
        const std::uint64_t inside = left < kWord ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
        const std::uint64_t asked = among[w] & inside;
        const Split here = split(levels + w * kWord, static_cast<std::uint8_t>(level));
        out[w] = all ? asked : here.better & asked;
        for (std::uint64_t bits = here.on & asked; bits != 0; bits &= bits - 1)
            on.push_back(static_cast<std::uint32_t>(w * kWord) +
                         static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
    if (all) return m_edges.back();
    std::vector<std::uint32_t> sorted(on.size());
    std::transform(on.begin(), on.end(), sorted.begin(), [&](std::uint32_t i) { return ranks[i]; });
    const auto last = sorted.begin() + (wanted - 1);
    std::nth_element(sorted.begin(), last, sorted.end());
    const std::uint32_t cut = *last + 1;
    for (const std::uint32_t i : on)
        if (ranks[i] < cut) out[i / kWord] |= std::uint64_t{1} << (i % kWord);
    return cut;
}

}  // namespace fkv::trace
