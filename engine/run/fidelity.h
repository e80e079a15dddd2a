// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/text/tokenizer.h"
#include "engine/trace/answer.h"

#include <cstdint>
#include <span>

namespace fkv::run {

/// KL(full || other) in nats over the whole vocabulary, float64 from float32 logits (SPEC section
/// 7). Both have the same size >= 1. Never negative.
double klDivergence(std::span<const float> fullLogits, std::span<const float> otherLogits);

/// The five likeliest tokens, best first, ties to the lower id. `previous` is the token before:
/// what their text follows.
trace::TopFive topFive(std::span<const float> logits, const text::Tokenizer& tokenizer,
                       std::int32_t previous);

/// Distributions at the same steps, [steps, V] each. `previous` [steps]: the token before each
/// step.
struct FidelityInput {
    std::span<const float> full;
    std::span<const float> other;
    std::span<const std::int32_t> previous;
};
/// Adds the steps of `input` to `fidelity`.
void compareSteps(const FidelityInput& input, const text::Tokenizer& tokenizer, ThreadPool& pool,
                  trace::Fidelity& fidelity);

} // namespace fkv::run
