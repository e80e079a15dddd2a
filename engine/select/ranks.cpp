// SPDX-License-Identifier: Apache-2.0
#include "engine/select/ranks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

namespace fkv::select {
namespace {

constexpr std::uint32_t notANumberKey = 0xFFFFFFFFU;  // above the key of -infinity
constexpr int digitBits = 11;
constexpr int digits = 3;
constexpr std::uint32_t digitMask = (1U << digitBits) - 1;

/// Ascending keys are descending scores.
std::uint32_t keyOf(float score) {
    if (std::isnan(score)) return notANumberKey;
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);  // -0 and +0 tie
    return (bits & 0x80000000U) != 0 ? bits : ~(bits | 0x80000000U);
}

std::uint32_t digitOf(std::uint32_t key, int digit) {
    return (key >> (digit * digitBits)) & digitMask;
}

}  // namespace

std::int64_t rankDescending(std::span<const float> scores, std::span<std::uint32_t> ranks,
                            RankScratch& scratch) {
    assert(scores.size() == ranks.size());
    const std::size_t n = scores.size();
    for (auto* buffer : {&scratch.keys, &scratch.keysOther, &scratch.order, &scratch.orderOther})
        buffer->resize(n);

    std::array<std::array<std::uint32_t, digitMask + 1>, digits> counts{};
    std::int64_t notANumber = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t key = keyOf(scores[i]);
        scratch.keys[i] = key;
        notANumber += key == notANumberKey ? 1 : 0;
        for (int d = 0; d < digits; ++d) ++counts[static_cast<std::size_t>(d)][digitOf(key, d)];
    }
    std::iota(scratch.order.begin(), scratch.order.end(), 0U);

    for (int d = 0; d < digits && n > 0; ++d) {
        auto& next = counts[static_cast<std::size_t>(d)];
        // A digit that all keys share sorts nothing.
        if (next[digitOf(scratch.keys[0], d)] == n) continue;
        std::exclusive_scan(next.begin(), next.end(), next.begin(), 0U);
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t place = next[digitOf(scratch.keys[i], d)]++;
            scratch.keysOther[place] = scratch.keys[i];
            scratch.orderOther[place] = scratch.order[i];
        }
        std::swap(scratch.keys, scratch.keysOther);
        std::swap(scratch.order, scratch.orderOther);
    }
    for (std::size_t i = 0; i < n; ++i) ranks[scratch.order[i]] = static_cast<std::uint32_t>(i);
    return notANumber;
}

std::vector<std::int32_t> bestAscending(std::span<const std::uint32_t> ranks, std::int64_t count) {
    const auto size = static_cast<std::int64_t>(ranks.size());
    const std::int64_t taken = std::clamp<std::int64_t>(count, 0, size);
    std::vector<std::int32_t> best;
    best.reserve(static_cast<std::size_t>(taken));
    for (std::size_t i = 0; i < ranks.size(); ++i)
        if (ranks[i] < taken) best.push_back(static_cast<std::int32_t>(i));
    return best;
}

}  // namespace fkv::select
