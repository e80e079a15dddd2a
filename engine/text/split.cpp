// SPDX-License-Identifier: Apache-2.0
#include "engine/text/split.h"

#include <algorithm>
#include <array>

namespace fkv::text {

namespace {

struct Stretch {
    Range range;
    bool match;
};

/// Matches and what lies between them, covering all of `size` bytes.
std::vector<Stretch> cover(const std::vector<Range>& matches, std::uint32_t size, bool invert) {
    std::vector<Stretch> out;
    out.reserve(matches.size() * 2 + 1);
    std::uint32_t at = 0;
    for (const Range& match : matches) {
        if (at != match.begin) out.push_back({{at, match.begin}, invert});
        out.push_back({match, !invert});
        at = match.end;
    }
    if (at != size) out.push_back({{at, size}, invert});
    return out;
}

/// Joins a stretch to its neighbour in front when `joins(stretch, match before)` says so.
template <typename Joins>
void joinForward(std::vector<Stretch>& stretches, Joins&& joins) {
    std::size_t kept = 0;
    bool before = false;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        const bool match = stretches[i].match;
        if (kept > 0 && joins(match, before)) {
            stretches[kept - 1].range.end = stretches[i].range.end;
        } else {
            stretches[kept++] = stretches[i];
        }
        before = match;
    }
    stretches.resize(kept);
}

void joinBackward(std::vector<Stretch>& stretches) {
    std::vector<Stretch> kept;
    bool before = false;
    for (auto it = stretches.rbegin(); it != stretches.rend(); ++it) {
        if (!kept.empty() && it->match && !before)
            kept.back().range.begin = it->range.begin;
        else
            kept.push_back(*it);
        before = it->match;
    }
    stretches.assign(kept.rbegin(), kept.rend());
}

} // namespace

SplitBehavior readBehavior(const io::JsonRecord& from) {
    constexpr std::array<std::string_view, 5> kNames{"Removed", "Isolated", "MergedWithPrevious",
                                                     "MergedWithNext", "Contiguous"};
    return static_cast<SplitBehavior>(from.oneOf("behavior", kNames));
}

void Splitter::split(std::string_view text, Range range, MatchScratch& scratch,
                     std::vector<Range>& parts) const {
    std::vector<Range> matches;
    pattern.findAll(cut(text, range), scratch, matches);
    std::vector<Stretch> stretches = cover(matches, range.size(), invert);
    switch (behavior) {
    case SplitBehavior::Removed:
        std::erase_if(stretches, [](const Stretch& s) { return s.match; });
        break;
    case SplitBehavior::Isolated:
        break;
    case SplitBehavior::MergedWithPrevious:
        joinForward(stretches, [](bool match, bool before) { return match && !before; });
        break;
    case SplitBehavior::MergedWithNext:
        joinBackward(stretches);
        break;
    case SplitBehavior::Contiguous:
        joinForward(stretches, [](bool match, bool before) { return match == before; });
        break;
    }
    for (const Stretch& s : stretches)
        if (!s.range.empty())
            parts.push_back({range.begin + s.range.begin, range.begin + s.range.end});
}

} // namespace fkv::text
