// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/token_search.h"

#include "viz/series/token_text.h"

#include <QStringMatcher>
#include <algorithm>

namespace fkv::viz {
namespace {

constexpr char kStray = 0x1a; // SUBSTITUTE: nobody looks for it

/// UTF-16 units before each byte of the text, and the text without stray bytes.
struct Units {
    std::string clean;
    std::vector<std::uint32_t> before; ///< [bytes + 1]
};

Units unitsOf(const std::string& text) {
    Units u;
    u.clean = text;
    u.before.resize(text.size() + 1);
    std::uint32_t units = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (static_cast<unsigned char>(text[i]) < 0x80) {
            u.before[i++] = units++;
            continue;
        }
        const Utf8Character c = utf8At(text, i);
        if (!c.valid) u.clean[i] = kStray;
        for (int k = 0; k < c.length; ++k)
            u.before[i + static_cast<std::size_t>(k)] = units;
        units += c.length == 4 ? 2 : 1;
        i += static_cast<std::size_t>(c.length);
    }
    u.before[text.size()] = units;
    return u;
}

} // namespace

TokenSearch::TokenSearch(const trace::Prompt& prompt) {
    const Units units = unitsOf(prompt.text);
    m_text = QString::fromStdString(units.clean);
    const std::size_t count = std::min(prompt.bytes.size(), prompt.ids.size());
    m_begin.reserve(count);
    m_end.reserve(count);
    std::uint32_t reached = 0; // both ends ascend, whatever the ranges say: they are searched in
    for (std::size_t i = 0; i < count; ++i) {
        auto [begin, end] = prompt.bytes[i];
        if (begin > end || end > prompt.text.size()) begin = end = 0;
        // The end of a range inside a character counts the whole of it.
        std::size_t last = end;
        while (last < prompt.text.size() && last > begin &&
               units.before[last] == units.before[last - 1])
            ++last;
        const std::uint32_t from = begin < end ? units.before[begin] : reached;
        reached = std::max(reached, begin < end ? units.before[last] : reached);
        m_begin.push_back(i == 0 ? from : std::max(from, m_begin.back()));
        m_end.push_back(reached);
    }
}

TokenRange TokenSearch::tokensOf(std::int64_t begin, std::int64_t end) const {
    const auto first = std::upper_bound(m_end.begin(), m_end.end(), begin);
    const auto last = std::lower_bound(m_begin.begin(), m_begin.end(), end);
    return {first - m_end.begin(), std::max(last - m_begin.begin(), first - m_end.begin() + 1)};
}

std::vector<TokenRange> TokenSearch::find(const QString& needle) const {
    std::vector<TokenRange> hits;
    if (needle.isEmpty() || m_begin.empty()) return hits;
    const QStringMatcher matcher(needle, Qt::CaseInsensitive);
    const auto count = static_cast<std::int64_t>(m_begin.size());
    for (qsizetype at = matcher.indexIn(m_text); at >= 0 && hits.size() < kMostHits;
         at = matcher.indexIn(m_text, at + needle.size())) {
        const TokenRange tokens = tokensOf(at, at + needle.size());
        if (tokens.begin < count) hits.push_back({tokens.begin, std::min(tokens.end, count)});
    }
    return hits;
}

} // namespace fkv::viz
