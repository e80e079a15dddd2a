// SPDX-License-Identifier: Apache-2.0
#include "engine/run/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fkv::run {

namespace {

double logSumExp(std::span<const float> logits) {
    const double most = *std::max_element(logits.begin(), logits.end());
    double sum = 0.0;
    for (const float v : logits) sum += std::exp(static_cast<double>(v) - most);
    return most + std::log(sum);
}

}  // namespace

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

}  // namespace fkv::run
