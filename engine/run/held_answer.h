// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/held_state.h"

#include <vector>

namespace fkv::run {

/// Is it the answer that is asked for, or a longer one?
bool serves(const HeldAnswer& held, const AnswerKey& key, int generate);

/// The first `count` tokens of an answer.
std::shared_ptr<const trace::Answer> front(const std::shared_ptr<const trace::Answer>& answer,
                                           int count);

/// What is fed to both sides to compare them along an answer: all of its tokens but the last.
std::vector<std::int32_t> forcedTokens(const trace::Answer& answer);

} // namespace fkv::run
