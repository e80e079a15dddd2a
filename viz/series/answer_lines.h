// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "viz/series/position_axis.h"
#include "viz/series/token_text.h"

#include <QString>
#include <memory>
#include <optional>
#include <vector>

namespace fkv::viz {

/// A FastKV answer with what belongs to it: it may be older than the settings of the controls.
struct MethodAnswer {
    std::shared_ptr<const trace::Answer> answer;
    std::shared_ptr<const trace::Fidelity> fidelity; ///< null, first step only, or every step
    trace::Settings settings;
};

/// One place of both answers. A missing token (an answer that ended) has no shape.
struct AnswerColumn {
    std::optional<TokenShape> full, method;
    std::optional<double> kl; ///< nats, teacher-forced with the full answer
};

/// Both answers token by token, aligned by index (VIEWS, Answers 1 and 2).
struct AnswerLines {
    std::vector<AnswerColumn> columns;
    std::size_t toNewline = 0;    ///< columns up to and with the first newline of either answer
    std::int64_t difference = -1; ///< first column whose tokens differ; -1 when none does
    bool open = false;            ///< one of them is not complete: it grows, or was stopped
    std::int64_t fullTokens = 0, methodTokens = 0;

    bool known() const { return fullTokens > 0 && methodTokens > 0; }
    /// No difference up to the newline: what the answer says is the same.
    bool agrees() const {
        return difference < 0 || difference >= static_cast<std::int64_t>(toNewline);
    }
};
AnswerLines alignAnswers(const trace::Answer* full, const MethodAnswer& method);

/// "✔ agrees on 4 of 4 tokens", "✖ differs from token 3", "agrees so far, 3 of 4 tokens"; tokens
/// count from 1. Empty while an answer is missing.
QString verdictOf(const AnswerLines& lines);
/// "top-1 5 of 6 · mean KL 1.07 · first 3e-5"; what is not known yet is left out.
QString describeFidelity(const trace::Fidelity* fidelity, std::int64_t fullTokens);
/// Every step compared, not the first alone?
bool fidelityComplete(const trace::Fidelity* fidelity, std::int64_t fullTokens);
/// `token 3 · KL 6.2 · full "le" 90 % … · FastKV …`: both top five of a step.
QString describeStep(const trace::Fidelity& fidelity, const AnswerLines& lines, std::size_t step);

/// Why no further token follows: "length 32", "end of sequence", "■ stopped"; empty while it grows.
QString describeEnd(const trace::Answer& answer);
/// "12 tokens so far, 9.72 ms/token", "stopped after 12, 9.72 ms/token": how far an answer got, and
/// the median of its decode steps.
QString describeProgress(const trace::Answer& answer);

/// Does an answer give the expected one, exactly, up to its first newline? Not known as long as it
/// has no newline and is not complete.
std::optional<bool> holds(const trace::Answer* answer, const std::string& expected);

/// What became of a tracked span.
struct SpanSurvival {
    std::int64_t tokens = 0, passing = 0;
    int layersKept = 0, layers = 0; ///< layers where some head keeps some of it
    trace::State state = trace::State::Exact;
};
SpanSurvival survivalOf(const trace::Fate& fate, TokenRange span);
/// "fact: 13 tokens, 12 pass TSP, kept by some head in 14 of 16 layers"
QString describeSurvival(const QString& name, const SpanSurvival& survival);

/// Height of a KL bar as a share of the row: log scale, 1e-4 nats and less to 10 nats and more.
double klShare(double nats);

/// KL(full || method) in nats over the whole vocabulary, in double; NaN when the sizes differ or
/// are 0. For the first token, whose logits are there before the answers are (SPEC section 7).
double klOfLogits(std::span<const float> full, std::span<const float> method);

/// One line a step, units in the header.
QString answersCsv(const trace::Answer* full, const MethodAnswer& method);

} // namespace fkv::viz
