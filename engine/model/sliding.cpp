// SPDX-License-Identifier: Apache-2.0
#include "engine/model/sliding.h"

#include <algorithm>

namespace fkv::model {

std::int64_t firstInSight(std::span<const std::int32_t> positions, std::int64_t position,
                          std::int64_t window) {
    return std::upper_bound(positions.begin(), positions.end(), position - window) -
           positions.begin();
}

std::vector<std::int32_t> firstsInSight(std::span<const std::int32_t> positions,
                                        std::int64_t window) {
    std::vector<std::int32_t> firsts;
    firsts.reserve(positions.size());
    std::size_t first = 0;
    for (const std::int32_t position : positions) {
        while (positions[first] <= position - window)
            ++first;
        firsts.push_back(static_cast<std::int32_t>(first));
    }
    return firsts;
}

} // namespace fkv::model
