// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <cstdint>
#include <functional>
#include <span>

namespace fkv::run {

/// Hidden states of some tokens after a layer: each starts from the newest checkpoint up to there
/// that holds it, or from its embedding, and goes through the layers between against the keys and
/// values that are held. Rows do not depend on each other, so they are those of the full pass.
struct RestoreRequest {
    int layer;
    std::span<const std::int32_t> positions; ///< [T], ascending
    std::function<void(int layer)> progress; ///< before each layer behind the newest checkpoint
};
/// Into x [T, hidden]. Returns rows x layers that were run.
std::int64_t restoreRows(const RunContext& context, const RestoreRequest& request, HeldFull& full,
                         const ops::View& x, PassScope& scope);

} // namespace fkv::run
