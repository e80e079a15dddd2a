// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::trace {

struct AnswerToken {
    std::int32_t id = 0;
    std::string text;   ///< bytes this token adds to the answer; may be part of a character
    double ms = 0.0;    ///< time of the decode step that produced it; 0 for the first token
};

/// Why an answer has no further tokens.
enum class AnswerEnd : std::uint8_t {
    Growing,       ///< more may come
    Count,         ///< as many as were asked for
    EndOfSequence, ///< the model said so: the last token is the end-of-sequence id
    Stopped        ///< somebody stopped it
};
inline constexpr std::array<std::string_view, 4> kAnswerEnds{"growing", "count", "end_of_sequence",
                                                             "stopped"};
constexpr std::string_view name(AnswerEnd end) {
    return kAnswerEnds[static_cast<std::size_t>(end)];
}

/// A generated continuation.
struct Answer {
    std::vector<AnswerToken> tokens;
    AnswerEnd end = AnswerEnd::Growing;
    double msPerToken = 0.0;     ///< median over decode steps so far; 0 when none was timed

    bool endOfSequence() const { return end == AnswerEnd::EndOfSequence; }
    /// No further token would have come.
    bool complete() const { return end == AnswerEnd::Count || endOfSequence(); }
    std::string text() const;
    /// Up to the first newline, surrounding spaces dropped: what an expected answer is held against.
    std::string firstLine() const;
};

struct TokenProbability {
    std::int32_t id = -1;
    std::string text;
    float probability = 0.0F;
};
using TopFive = std::array<TokenProbability, 5>;  ///< best first; id -1 when the vocabulary is smaller

/// How far the compressed model's distributions are from the full model's (SPEC section 7).
/// Index 0 is the first generated token; step k is teacher-forced with the full answer, drawn or
/// not. What is compared are the models' own distributions, before temperature, top-k and top-p.
struct Fidelity {
    std::vector<double> kl;              ///< KL(full || FastKV) in nats per step
    std::vector<std::uint8_t> sameTop1;  ///< 1 where the arg max agrees
    std::vector<TopFive> fullTop;
    std::vector<TopFive> fastkvTop;

    double meanKl() const;        ///< 0 when empty
    double top1Agreement() const; ///< share in [0, 1]; 1 when empty
};

}  // namespace fkv::trace
