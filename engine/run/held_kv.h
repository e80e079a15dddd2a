// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <cstdint>

namespace fkv::run {

/// Room for `capacity` tokens in every layer, in one place; the first
/// `kept` tokens stay. Sound wherever it throws.
void placeKv(const RunContext& context, HeldFull& full, ops::Place place, std::int64_t capacity,
             std::int64_t kept);

/// Keys and values of a layer where ops are fast: in place, or, of those on the host, the first
/// `tokens` brought into full.near, which the next layer takes.
ops::KvView& nearKv(const RunContext& context, HeldFull& full, int layer, std::int64_t tokens,
                    PassScope& scope);

/// Takes what a pass appended to nearKv() from `from` on to where the layer is held.
void keepKv(const RunContext& context, HeldFull& full, int layer, std::int64_t from,
            PassScope& scope);

} // namespace fkv::run
