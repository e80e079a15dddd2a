// SPDX-License-Identifier: Apache-2.0
#include "engine/run/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fkv::run {

namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

/// A few tokens hold the mass mostly: sorting starts with this many and goes on fourfold.
constexpr std::size_t kFirstSorted = 256;

float orNothing(float logit) {
    return std::isnan(logit) ? kNothing : logit;
}

/// Of a 64-bit number, in (0, 1): neither end, so that its logarithm is finite and below 0.
double uniform(std::uint64_t bits) {
    return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

} // namespace

std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t n) {
    std::uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

float Sampler::leastOfTopK(std::span<const float> logits) {
    const auto k = static_cast<std::size_t>(m_sampling.topK);
    if (k == 0 || k >= logits.size()) return kNothing;
    m_sorted.resize(logits.size());
    std::transform(logits.begin(), logits.end(), m_sorted.begin(), orNothing);
    const auto least = m_sorted.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(m_sorted.begin(), least, m_sorted.end(), std::greater<>());
    return *least;
}

/// A candidate stays while those that are likelier hold less than p of the mass: the same as
/// dropping from the other end while what is dropped sums to at most 1 - p.
void Sampler::keepTopP() {
    if (m_sampling.topP >= 1.0) return;
    double total = 0.0;
    for (const Candidate& c : m_candidates)
        total += c.weight;
    const auto likelier = [](const Candidate& a, const Candidate& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.id > b.id;
    };
    const double enough = m_sampling.topP * total;
    const auto at = [this](std::size_t i) {
        return m_candidates.begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::size_t kept = 0, sorted = 0;
    for (double before = 0.0; kept < m_candidates.size() && before < enough; ++kept) {
        if (kept == sorted) {
            sorted = std::min(m_candidates.size(), std::max(kFirstSorted, 4 * sorted));
            if (sorted < m_candidates.size())
                std::nth_element(at(kept), at(sorted), m_candidates.end(), likelier);
            std::sort(at(kept), at(sorted), likelier);
        }
        before += m_candidates[kept].weight;
    }
    m_candidates.resize(std::max<std::size_t>(kept, 1));
}

std::span<const Sampler::Candidate> Sampler::candidates(std::span<const float> logits) {
    m_candidates.clear();
    float most = kNothing;
    for (const float logit : logits)
        most = std::max(most, orNothing(logit));
    if (most == kNothing) { // nothing is likelier than anything else: what greedy decoding takes
        m_candidates.push_back({0, 1.0});
        return m_candidates;
    }
    const float least = leastOfTopK(logits);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        const float logit = orNothing(logits[i]);
        if (logit < least || logit == kNothing) continue;
        // The difference is taken first: a temperature near 0 then leaves 0 or -inf, never NaN.
        const double below = logit == most ? 0.0 : static_cast<double>(logit) - most;
        m_candidates.push_back(
            {static_cast<std::int32_t>(i), std::exp(below / m_sampling.temperature)});
    }
    keepTopP();
    return m_candidates;
}

std::int32_t Sampler::draw(std::span<const float> logits, std::int64_t step) {
    const std::uint64_t stream = splitmix64(m_sampling.seed, static_cast<std::uint64_t>(step));
    std::int32_t first = -1;
    double fastest = 0.0; // rates: the reciprocals of when they arrive
    for (const Candidate& c : candidates(logits)) {
        const double u = uniform(splitmix64(stream, static_cast<std::uint64_t>(c.id)));
        // -log(u) >= 1 - u: most are out of the race before a logarithm is taken.
        if (first >= 0 && c.weight < fastest * (1.0 - u)) continue;
        const double rate = c.weight / -std::log(u);
        if (first < 0 || rate > fastest || (rate == fastest && c.id < first)) {
            fastest = rate;
            first = c.id;
        }
    }
    return first;
}

} // namespace fkv::run
