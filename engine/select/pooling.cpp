// SPDX-License-Identifier: Apache-2.0
#include "engine/select/ranks.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>

namespace fkv::select {
namespace {

/// The larger one; NaN wins, so that a bad score stays visible.
inline float larger(float a, float b) { return (b > a || b != b) ? b : a; }

/// `padded` has k - 1 more values than `out` and is overwritten.
void maxPool(std::vector<float>& padded, std::span<float> out, std::size_t kernel) {
    // Maxima over 2, 4, 8, ... values: two overlapping ones make any width in log2(k) plain loops.
    std::size_t width = 1;
    for (; width * 2 <= kernel; width *= 2)
        for (std::size_t i = 0; i + width < padded.size(); ++i)
            padded[i] = larger(padded[i], padded[i + width]);
    const std::size_t shift = kernel - width;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = larger(padded[i], padded[i + shift]);
}

/// Adds from left to right whatever the loop order, so that every backend can give the same bits.
void averagePool(const std::vector<float>& padded, std::span<float> out, std::size_t kernel) {
    std::fill(out.begin(), out.end(), 0.0F);
    for (std::size_t j = 0; j < kernel; ++j)
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += padded[i + j];
    const auto divisor = static_cast<float>(kernel);
    for (float& value : out) value /= divisor;
}

}  // namespace

void poolAndGroup(const PoolParams& p) {
    const auto tokens = static_cast<std::size_t>(p.tokens);
    const auto heads = static_cast<std::size_t>(p.queryHeads);
    const auto groups = static_cast<std::size_t>(p.kvHeads);
    const auto kernel = static_cast<std::size_t>(p.kernel);
    assert(p.kernel % 2 == 1 && groups > 0 && heads % groups == 0);
    assert(p.windowSums.size() == heads * tokens && p.saliency.size() == groups * tokens);
    if (tokens == 0) return;

    const float padding = p.average ? 0.0F : -std::numeric_limits<float>::infinity();
    const std::size_t groupSize = heads / groups;
    std::vector<float> padded(tokens + kernel - 1);
    std::vector<float> pooled(tokens);
    for (std::size_t h = 0; h < heads; ++h) {
        const auto row = p.windowSums.subspan(h * tokens, tokens);
        const auto inside = static_cast<std::ptrdiff_t>(kernel / 2);
        std::fill(padded.begin(), padded.end(), padding);
        std::copy(row.begin(), row.end(), padded.begin() + inside);

        const auto sum = p.saliency.subspan(h / groupSize * tokens, tokens);
        const bool first = h % groupSize == 0;
        const std::span<float> out = first ? sum : std::span<float>(pooled);
        if (p.average)
            averagePool(padded, out, kernel);
        else
            maxPool(padded, out, kernel);
        if (!first)
            for (std::size_t i = 0; i < tokens; ++i) sum[i] += pooled[i];
    }
}

void sumRows(std::span<const float> values, std::int64_t rows, std::span<float> out) {
    const std::size_t columns = out.size();
    assert(values.size() == static_cast<std::size_t>(rows) * columns);
    std::fill(out.begin(), out.end(), 0.0F);
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r)
        for (std::size_t i = 0; i < columns; ++i) out[i] += values[r * columns + i];
}

}  // namespace fkv::select
