// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace fkv::run {

/// A sequence to continue.
struct DecodeRequest {
    std::span<ops::DecodeLayer> layers; ///< tails grow
    std::int64_t position;              ///< of the first generated token: N
    trace::PassKind pass;               ///< DecodeFull or DecodeFastKv
};

/// A continuation of at most `count` tokens, the first being chosen by `firstLogits`; ends after
/// any of the model's end-of-sequence ids. `grown` is called after every token.
struct AnswerRequest {
    std::span<const float> firstLogits;
    int count;
    trace::Sampling sampling;
    std::int32_t previous; ///< last prompt token: what the answer's text follows
    std::function<void(const trace::Answer&)> grown;
};
struct AnswerResult {
    trace::Answer answer;
    Stretch stretch;
};
/// After a stop it returns what there is, with that end.
AnswerResult decodeAnswer(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                          const AnswerRequest& asked);

/// Median of the timed steps; 0 when there is none.
double medianStep(const std::vector<trace::AnswerToken>& tokens);

/// Teacher-forced: logits [tokens, V] after each of `tokens`. Tails need room for one more.
std::vector<float> forced(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                          std::span<const std::int32_t> tokens);

} // namespace fkv::run
