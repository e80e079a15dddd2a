// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/tracked_span.h"

#include <algorithm>

namespace fkv::viz {

TrackedSpan trackSpan(const trace::FullPass& full, TokenRange tokens) {
    TrackedSpan span;
    span.tokens = tokens;
    if (!full.tspRanks || full.tspRanks->empty()) return span;
    const auto columns = static_cast<std::int64_t>(full.tspRanks->cols());
    const std::int64_t begin = std::clamp<std::int64_t>(tokens.begin, 0, columns);
    const std::int64_t end = std::clamp(tokens.end, begin, columns);
    span.scored = end - begin;
    if (span.scored == 0) return span;
    std::vector<std::uint32_t> ranks(static_cast<std::size_t>(span.scored));
    const auto middle = ranks.begin() + (span.scored - 1) / 2;
    for (std::size_t l = 0; l < full.tspRanks->rows(); ++l) {
        const auto row =
            full.tspRanks->row(l).subspan(static_cast<std::size_t>(begin), ranks.size());
        std::copy(row.begin(), row.end(), ranks.begin());
        std::nth_element(ranks.begin(), middle, ranks.end());
        span.layers.push_back({*std::min_element(ranks.begin(), middle + 1), *middle,
                               *std::max_element(middle, ranks.end())});
    }
    return span;
}

std::vector<std::int64_t> passingTokens(const trace::FullPass& full, const TrackedSpan& span,
                                        std::int64_t cut) {
    std::vector<std::int64_t> passing;
    if (span.layers.empty()) return passing;
    for (std::size_t l = 0; l < span.layers.size(); ++l) {
        const auto row = full.tspRanks->row(l).subspan(static_cast<std::size_t>(span.tokens.begin),
                                                       static_cast<std::size_t>(span.scored));
        passing.push_back(std::count_if(row.begin(), row.end(), [cut](std::uint32_t rank) {
            return static_cast<std::int64_t>(rank) < cut;
        }));
    }
    return passing;
}

std::int64_t tspCut(const trace::Budgets& budgets) {
    return std::max<std::int64_t>(0, budgets.propagated - budgets.window);
}

double topShare(std::uint32_t rank, std::int64_t scored) {
    return (static_cast<double>(rank) + 1.0) /
           static_cast<double>(std::max<std::int64_t>(scored, 1));
}

} // namespace fkv::viz
