// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace fkv::trace {

struct AnswerToken {
    std::int32_t id = 0;
    std::string text;   ///< bytes this token adds to the answer; may be part of a character
    double ms = 0.0;    ///< time of the decode step that produced it; 0 for the first token
};

/// A generated continuation.
struct Answer {
    std::vector<AnswerToken> tokens;
    bool endOfSequence = false;  ///< stopped because the model said so
    double msPerToken = 0.0;     ///< median over decode steps; 0 when fewer than one was timed

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
/// Index 0 is the first generated token; step k is teacher-forced with the full answer.
struct Fidelity {
    std::vector<double> kl;              ///< KL(full || FastKV) in nats per step
    std::vector<std::uint8_t> sameTop1;  ///< 1 where the arg max agrees
    std::vector<TopFive> fullTop;
    std::vector<TopFive> fastkvTop;

    double meanKl() const;        ///< 0 when empty
    double top1Agreement() const; ///< share in [0, 1]; 1 when empty
};

}  // namespace fkv::trace
