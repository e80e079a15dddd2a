// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/plane.h"
#include "engine/trace/window_sums.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::viz {

// What FastKV's own later layers say about the tokens that reached them. A run keeps ranks per KV
// head there; a picture of a layer needs them over all heads.

/// All-head ranks from saliency [G, columns]: 0 is the largest sum over groups, the lower column
/// wins ties, NaN comes last (SPEC section 3 and 5). Empty for an empty plane.
std::vector<std::uint32_t> allHeadRanks(const trace::Plane<float>& saliency);

/// The preview of the same: rank of each survivor (ascending positions) among the survivors, in the
/// order of `ranks` over all tokens, which are a permutation.
std::vector<std::uint32_t> ranksAmong(std::span<const std::uint32_t> ranks,
                                      std::span<const std::int32_t> survivors);

/// Window sums summed over query heads, [columns].
std::vector<float> massOverHeads(const trace::WindowSums& sums);

} // namespace fkv::viz
