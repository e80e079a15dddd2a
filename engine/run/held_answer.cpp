// SPDX-License-Identifier: Apache-2.0
#include "engine/run/held_answer.h"

#include "engine/run/decode.h"

namespace fkv::run {

bool serves(const HeldAnswer& held, const AnswerKey& key, int generate) {
    return held.answer && held.key == key &&
           (generate <= held.generate || held.answer->endOfSequence());
}

std::shared_ptr<const trace::Answer> front(const std::shared_ptr<const trace::Answer>& answer,
                                           int count) {
    const auto tokens = static_cast<std::size_t>(count);
    if (answer->tokens.size() <= tokens) return answer;
    auto shorter = std::make_shared<trace::Answer>(*answer);
    shorter->tokens.resize(tokens);
    shorter->end = trace::AnswerEnd::Count;
    shorter->msPerToken = medianStep(shorter->tokens);
    return shorter;
}

std::vector<std::int32_t> forcedTokens(const trace::Answer& answer) {
    std::vector<std::int32_t> tokens;
    for (std::size_t i = 0; i + 1 < answer.tokens.size(); ++i)
        tokens.push_back(answer.tokens[i].id);
    return tokens;
}

} // namespace fkv::run
