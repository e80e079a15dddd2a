// SPDX-License-Identifier: Apache-2.0
#include "engine/run/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

namespace fkv::run {

namespace {

double logSumExp(std::span<const float> logits) {
    const double most = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const float v : logits)
        sum += std::exp(static_cast<double>(v) - most);
    return most + std::log(sum);
}

} // namespace

double klDivergence(std::span<const float> fullLogits, std::span<const float> otherLogits) {
    const double full = logSumExp(fullLogits);
    const double other = logSumExp(otherLogits);
    double kl = 0.0;
    for (std::size_t i = 0; i < fullLogits.size(); ++i) {
        const double logP = fullLogits[i] - full;
        kl += std::exp(logP) * (logP - (otherLogits[i] - other));
    }
    // Equal distributions may come out as -1e-17 from rounding.
    return std::max(kl, 0.0);
}

trace::TopFive topFive(std::span<const float> logits, const text::Tokenizer& tokenizer,
                       std::int32_t previous) {
    std::vector<std::int32_t> ids(logits.size());
    std::iota(ids.begin(), ids.end(), 0);
    trace::TopFive top;
    const std::size_t count = std::min(top.size(), ids.size());
    const auto value = [&](std::int32_t id) {
        const float logit = logits[static_cast<std::size_t>(id)];
        return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
    };
    const auto better = [&](std::int32_t a, std::int32_t b) {
        return value(a) > value(b) || (value(a) == value(b) && a < b);
    };
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                      better);
    const double total = logSumExp(logits);
    for (std::size_t i = 0; i < count; ++i) {
        const double share = std::exp(logits[static_cast<std::size_t>(ids[i])] - total);
        top[i] = {ids[i], tokenizer.decode(ids[i], previous), static_cast<float>(share)};
    }
    return top;
}

void compareSteps(const FidelityInput& input, const text::Tokenizer& tokenizer, ThreadPool& pool,
                  trace::Fidelity& fidelity) {
    const std::size_t steps = input.previous.size();
    const std::size_t before = fidelity.kl.size();
    if (steps == 0) return;
    const std::size_t vocabulary = input.full.size() / steps;
    fidelity.kl.resize(before + steps);
    fidelity.sameTop1.resize(before + steps);
    fidelity.fullTop.resize(before + steps);
    fidelity.fastkvTop.resize(before + steps);
    pool.parallelFor(steps, [&](std::size_t i, int) {
        const auto full = input.full.subspan(i * vocabulary, vocabulary);
        const auto other = input.other.subspan(i * vocabulary, vocabulary);
        const std::size_t k = before + i;
        fidelity.kl[k] = klDivergence(full, other);
        fidelity.fullTop[k] = topFive(full, tokenizer, input.previous[i]);
        fidelity.fastkvTop[k] = topFive(other, tokenizer, input.previous[i]);
        fidelity.sameTop1[k] = fidelity.fullTop[k][0].id == fidelity.fastkvTop[k][0].id ? 1 : 0;
    });
}

} // namespace fkv::run
