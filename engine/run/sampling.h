// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/settings.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fkv::run {

/// Number `n`, from 0, of the splitmix64 stream that starts at `seed` (Steele, Lea, Flood: Fast
/// splittable pseudorandom number generators, OOPSLA 2014). Integers alone: the same everywhere,
/// which the distributions of the standard library are not.
std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t n);

/// Draws the tokens of an answer.
///
/// What may be drawn is what Hugging Face transformers' TemperatureLogitsWarper, TopKLogitsWarper
/// and TopPLogitsWarper leave, in this order, in double from float32 logits: top-k keeps whatever
/// ties with the k-th; top-p drops the least likely while they sum to at most 1 - p, of equal ones
/// the lower id first; at least one token stays. Logits that are NaN are never drawn.
///
/// One of them is drawn by an exponential race: token i arrives after -log(u_i) / p_i, the first
/// one is taken, which happens with probability p_i (as with the Gumbel-max trick). u_i is number i
/// of the stream that starts at number `step` of the seed's stream: it depends on seed, step and
/// token alone. Two answers that are drawn with one seed race with the same numbers. Where their
/// distributions are equal they take the same token, and where these are close they mostly do,
/// since no token's luck depends on the probabilities of others (it would if one number were looked
/// up in their running sum).
class Sampler {
public:
    /// `sampling` is valid (select::validate) and not greedy.
    explicit Sampler(const trace::Sampling& sampling) : m_sampling(sampling) {}

    struct Candidate {
        std::int32_t id;
        double weight; ///< probability before normalising: the likeliest of all has 1
    };
    /// What may be drawn, in no order; never empty. Valid until the next call.
    std::span<const Candidate> candidates(std::span<const float> logits);

    /// The token of step `step`, from 0. `logits` [V], V >= 1.
    std::int32_t draw(std::span<const float> logits, std::int64_t step);

private:
    float leastOfTopK(std::span<const float> logits);
    void keepTopP();

    trace::Sampling m_sampling;
    std::vector<float> m_sorted; ///< scratch of top-k
    std::vector<Candidate> m_candidates;
};

} // namespace fkv::run
