// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::select {

/// Scratch of rankDescending, reused between calls.
struct RankScratch {
    std::vector<std::uint32_t> keys, keysOther, order, orderOther;
};

/// ranks[i] = place of scores[i] in descending order, 0 = best; ties: the lower index is better
/// (SPEC section 5). NaN ranks last. Returns the number of NaN. Stable radix sort, O(n).
/// `scores` and `ranks` have the same size.
std::int64_t rankDescending(std::span<const float> scores, std::span<std::uint32_t> ranks,
                            RankScratch& scratch);

/// Positions with rank < count, ascending.
std::vector<std::int32_t> bestAscending(std::span<const std::uint32_t> ranks, std::int64_t count);

/// SPEC section 1, steps 4 and 5: pools each query head's window sums [H, M] along the tokens and sums
/// over the H/G heads of a group into saliency [G, M]. k odd. M may be 0.
struct PoolParams {
    std::span<const float> windowSums;  ///< [H, M]
    std::span<float> saliency;          ///< [G, M]
    std::int64_t queryHeads;
    std::int64_t kvHeads;
    std::int64_t tokens;                ///< M
    int kernel;
    bool average;                       ///< false: max pooling
};
void poolAndGroup(const PoolParams& p);

/// Sum of `rows` rows [rows, M] into out [M], in row order.
void sumRows(std::span<const float> values, std::int64_t rows, std::span<float> out);

}  // namespace fkv::select
