// SPDX-License-Identifier: Apache-2.0
// The half of an analysis that comes after prefill: answers and how far they are apart.
#include "engine/core/error.h"
#include "engine/run/analysis.h"
#include "engine/run/decode_cache.h"
#include "engine/run/fidelity.h"
#include "engine/run/held_answer.h"

#include <algorithm>

namespace fkv::run {

using trace::PassKind;

namespace {

/// Streamed answers are shown a few times a second: more would only keep the window busy.
constexpr std::chrono::milliseconds kStreamEvery{150};

/// A decode step in rows of prefill: progress has to be steady, not exact.
constexpr double kDecodeRows = 8.0;

/// Steps that are compared between two looks at the stop token.
constexpr std::size_t kComparedSteps = 8;

std::shared_ptr<const trace::Fidelity> front(const std::shared_ptr<const trace::Fidelity>& fidelity,
                                             std::size_t steps) {
    if (fidelity->kl.size() <= steps) return fidelity;
    auto shorter = std::make_shared<trace::Fidelity>(*fidelity);
    shorter->kl.resize(steps);
    shorter->sameTop1.resize(steps);
    shorter->fullTop.resize(steps);
    shorter->fastkvTop.resize(steps);
    return shorter;
}

} // namespace

double Analysis::decodeUnits() const {
    return m_context.layers() * kDecodeRows;
}

AnswerKey Analysis::fullAnswerKey() const {
    return {m_held.full.version, {}, m_request.settings.sampling.used()};
}

AnswerKey Analysis::answerKey() const {
    return {m_held.rerun.version, m_budgets.layers, m_request.settings.sampling.used()};
}

bool Analysis::fullAnswerServes() const {
    return serves(m_held.fullAnswer, fullAnswerKey(), m_request.settings.generate);
}

bool Analysis::answerServes() const {
    return rerunServes() && serves(m_held.answer, answerKey(), m_request.settings.generate);
}

void Analysis::showFullAnswer() {
    m_fullAnswer = front(m_held.fullAnswer.answer, m_request.settings.generate);
    m_fullAnswerDone = true;
}

void Analysis::showAnswer() {
    m_answer = front(m_held.answer.answer, m_request.settings.generate);
    m_answerDone = true;
}

void Analysis::stream(std::shared_ptr<const trace::Answer>& shown, const trace::Answer& grown) {
    ++m_state.work.decoded;
    m_progress.advance(decodeUnits());
    // The first token is what one waits for.
    if (grown.tokens.size() > 1 && Clock::now() - m_lastStreamed < kStreamEvery) return;
    m_lastStreamed = Clock::now();
    auto copy = std::make_shared<trace::Answer>(grown);
    copy->msPerToken = medianStep(copy->tokens);
    shown = std::move(copy);
    m_progress.report("Decoding");
    publish();
}

/// Decodes an answer, which `shown` follows as it grows. When it is stopped, what there is is
/// published before the stop goes on.
HeldAnswer Analysis::decode(const DecodeRequest& from, std::span<const float> logits, AnswerKey key,
                            std::shared_ptr<const trace::Answer>& shown) {
    m_progress.report("Decoding");
    AnswerResult result = decodeAnswer(m_context, m_held.tails, from,
                                       {logits, m_request.settings.generate,
                                        m_request.settings.sampling, m_prompt->ids.back(),
                                        [&](const trace::Answer& grown) { stream(shown, grown); }});
    const auto answer = std::make_shared<const trace::Answer>(std::move(result.answer));
    if (answer->end == trace::AnswerEnd::Stopped) {
        if (!answer->tokens.empty()) {
            shown = answer;
            publish();
        }
        throwIfStopped(m_stop);
    }
    return {answer, std::move(key), m_request.settings.generate, std::move(result.stretch)};
}

void Analysis::ensureFullAnswer() {
    if (!fullAnswerServes()) {
        auto layers = fullLayers(m_context, m_held, m_request.settings.generate);
        m_held.fullAnswer = decode({layers, m_prompt->size(), PassKind::DecodeFull},
                                   m_held.full.planes->logits, fullAnswerKey(), m_fullAnswer);
    }
    showFullAnswer();
}

void Analysis::ensureAnswer() {
    if (!answerServes()) {
        auto layers = compressedLayers(m_context, m_budgets, m_held, m_request.settings.generate);
        m_held.answer = decode({layers, m_prompt->size(), PassKind::DecodeFastKv},
                               m_held.rerun.logits, answerKey(), m_answer);
    }
    showAnswer();
}

void Analysis::ensureFidelity() {
    if (!m_request.fidelity) return;
    const std::size_t steps = std::max<std::size_t>(m_fullAnswer->tokens.size(), 1);
    HeldFidelity& held = m_held.fidelity;
    if (!held.fidelity || held.key != answerKey() || held.fidelity->kl.size() < steps) {
        compareAlong(forcedTokens(*m_fullAnswer));
        held = {m_fidelity, answerKey()};
    }
    m_fidelity = front(held.fidelity, steps);
}

/// Both distributions after each of `given` tokens, behind the first step that is there already.
void Analysis::compareAlong(std::span<const std::int32_t> given) {
    if (given.empty()) return;
    m_progress.report("Comparing");
    const auto room = static_cast<std::int64_t>(given.size());
    const std::size_t vocabulary = m_held.full.planes->logits.size();
    // Both sides go through the same batches, so that equal caches give equal bits.
    if (m_held.fullForcedKey != fullAnswerKey() ||
        m_held.fullForced.size() < given.size() * vocabulary) {
        auto layers = fullLayers(m_context, m_held, room);
        m_held.fullForced = forced(m_context, m_held.tails,
                                   {layers, m_prompt->size(), PassKind::DecodeFull}, given);
        m_held.fullForcedKey = fullAnswerKey();
    }
    auto layers = compressedLayers(m_context, m_budgets, m_held, room);
    const std::vector<float> other =
        forced(m_context, m_held.tails, {layers, m_prompt->size(), PassKind::DecodeFastKv}, given);
    auto fidelity = std::make_shared<trace::Fidelity>(*m_fidelity);
    for (std::size_t begin = 0; begin < given.size(); begin += kComparedSteps) {
        m_state.gate.pass(m_stop);
        const std::size_t count = std::min(kComparedSteps, given.size() - begin);
        const auto rows = [&](const std::vector<float>& logits) {
            return std::span(logits).subspan(begin * vocabulary, count * vocabulary);
        };
        compareSteps({rows(m_held.fullForced), rows(other), given.subspan(begin, count)},
                     m_state.model.tokenizer(), m_state.model.backend().pool(), *fidelity);
    }
    m_fidelity = fidelity;
}

} // namespace fkv::run
