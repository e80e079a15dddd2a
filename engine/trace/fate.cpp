// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/fate.h"

#include <algorithm>

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

}  // namespace fkv::trace
