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

/// Greedy continuation of at most `count` tokens, the first being arg max of `firstLogits`; ends
/// after an end-of-sequence id. `grown` is called after every token.
struct GreedyRequest {
    std::span<const float> firstLogits;
    int count;
    std::int32_t previous; ///< last prompt token: what the answer's text follows
    std::function<void(const trace::Answer&)> grown;
};
struct GreedyResult {
    trace::Answer answer;
    Stretch stretch;
};
GreedyResult greedy(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                    const GreedyRequest& greedy);

/// Median of the timed steps; 0 when there is none.
double medianStep(const std::vector<trace::AnswerToken>& tokens);

/// Teacher-forced: logits [tokens, V] after each of `tokens`. Tails need room for one more.
std::vector<float> forced(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                          std::span<const std::int32_t> tokens);

} // namespace fkv::run
