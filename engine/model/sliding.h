// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a sliding window hides. Windows count original positions: of tokens that stay in their
// order, those in sight are a stretch, also after others have been left out between them.

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::model {

/// Place in `positions` (ascending) of the first token that a token at `position` sees.
std::int64_t firstInSight(std::span<const std::int32_t> positions, std::int64_t position,
                          std::int64_t window);

/// The same for every token of `positions`, each at its own position.
std::vector<std::int32_t> firstsInSight(std::span<const std::int32_t> positions,
                                        std::int64_t window);

} // namespace fkv::model
