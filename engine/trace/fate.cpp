// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/fate.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace fkv::trace {

std::int64_t PositionSet::count(std::int64_t begin, std::int64_t end) const {
    begin = std::max<std::int64_t>(begin, 0);
    end = std::min(end, m_size);
    if (begin >= end) return 0;
    const auto first = static_cast<std::size_t>(begin >> 6);
    const auto last = static_cast<std::size_t>((end - 1) >> 6);
    std::int64_t total = 0;
    for (std::size_t w = first; w <= last; ++w) {
        std::uint64_t word = m_words[w];
        if (w == first) word &= ~0ULL << (begin & 63);
        if (w == last && (end & 63) != 0) word &= (1ULL << (end & 63)) - 1;
        total += std::popcount(word);
    }
    return total;
}

State Fate::state() const {
    for (const LayerFate& layer : layers)
        if (layer.state != State::Exact) return layer.state;
    return State::Exact;
}

bool Fate::keeps(int layer, int head, std::int64_t token) const {
    if (!arrives(layer, token)) return false;
    if (isWindow(token)) return true;
    const LayerFate& fate = layers[static_cast<std::size_t>(layer)];
    if (fate.kept >= fate.entering) return true;
    const std::int64_t column =
        fate.compacted ? compactedIndex[static_cast<std::size_t>(token)] : token;
    const auto g = static_cast<std::size_t>(head);
    return fate.ranks->row(g)[static_cast<std::size_t>(column)] < fate.cut[g];
}

int Fate::keptHeads(int layer, std::int64_t token) const {
    const int heads = static_cast<int>(layers[static_cast<std::size_t>(layer)].cut.size());
    int kept = 0;
    for (int g = 0; g < heads; ++g) kept += keeps(layer, g, token) ? 1 : 0;
    return kept;
}

std::int64_t tiedAtCut(std::span<const float> scores, std::span<const std::uint32_t> ranks,
                       std::int64_t count) {
    assert(scores.size() == ranks.size());
    if (count <= 0 || count >= static_cast<std::int64_t>(scores.size())) return 0;
    const auto last = std::find(ranks.begin(), ranks.end(), static_cast<std::uint32_t>(count - 1));
    if (last == ranks.end()) return 0;
    const double cut = scores[static_cast<std::size_t>(last - ranks.begin())];
    const double tolerance = 1e-4 * std::fabs(cut) + 1e-7;
    return std::count_if(scores.begin(), scores.end(), [&](float score) {
        // Infinities and NaN have no distance, but tie with their like.
        if (!std::isfinite(cut)) return score == cut || (std::isnan(cut) && std::isnan(score));
        return std::fabs(score - cut) <= tolerance;
    });
}

}  // namespace fkv::trace
