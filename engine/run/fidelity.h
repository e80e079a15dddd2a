// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace fkv::run {

/// KL(full || other) in nats over the whole vocabulary, float64 from float32 logits (SPEC section 7).
/// Both have the same size >= 1. Never negative.
double klDivergence(std::span<const float> fullLogits, std::span<const float> otherLogits);

}  // namespace fkv::run
