// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/survivor_ranks.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fkv::viz {
namespace {

/// Ascending in the order of descending scores, equal for equal scores; NaN is the largest.
std::uint32_t orderKey(float score) {
    if (std::isnan(score)) return 0xFFFFFFFFU;
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F); // -0 is 0
    return (bits & 0x80000000U) != 0 ? bits : ~bits & 0x7FFFFFFFU;
}

} // namespace

std::vector<std::uint32_t> allHeadRanks(const trace::Plane<float>& saliency) {
    std::vector<float> score(saliency.cols(), 0.0F);
    for (std::size_t g = 0; g < saliency.rows(); ++g) {
        const auto row = saliency.row(g);
        for (std::size_t i = 0; i < score.size(); ++i)
            score[i] += row[i];
    }
    std::vector<std::uint64_t> order(score.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = std::uint64_t{orderKey(score[i])} << 32 | i;
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> ranks(score.size());
    for (std::size_t r = 0; r < order.size(); ++r)
        ranks[order[r] & 0xFFFFFFFFU] = static_cast<std::uint32_t>(r);
    return ranks;
}

std::vector<std::uint32_t> ranksAmong(std::span<const std::uint32_t> ranks,
                                      std::span<const std::int32_t> survivors) {
    // Ranks are a permutation: as a bitmap they are sorted already, and a rank among the survivors
    // is the number of bits below.
    std::vector<std::uint64_t> bitmap((ranks.size() + 63) / 64, 0);
    for (const std::int32_t token : survivors) {
        const std::uint32_t rank = ranks[static_cast<std::size_t>(token)];
        bitmap[rank >> 6] |= 1ULL << (rank & 63);
    }
    std::vector<std::uint32_t> below(bitmap.size());
    std::uint32_t total = 0;
    for (std::size_t w = 0; w < bitmap.size(); ++w) {
        below[w] = total;
        total += static_cast<std::uint32_t>(std::popcount(bitmap[w]));
    }
    std::vector<std::uint32_t> among(survivors.size());
    for (std::size_t j = 0; j < survivors.size(); ++j) {
        const std::uint32_t rank = ranks[static_cast<std::size_t>(survivors[j])];
        const std::uint64_t lower = bitmap[rank >> 6] & ((1ULL << (rank & 63)) - 1);
        among[j] = below[rank >> 6] + static_cast<std::uint32_t>(std::popcount(lower));
    }
    return among;
}

std::vector<float> massOverHeads(const trace::WindowSums& sums) {
    std::vector<float> mass(sums.tokens(), 0.0F), head(sums.tokens());
    for (std::size_t h = 0; h < sums.heads(); ++h) {
        sums.row(h, head);
        for (std::size_t i = 0; i < mass.size(); ++i)
            mass[i] += head[i];
    }
    return mass;
}

} // namespace fkv::viz
