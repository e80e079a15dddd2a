// SPDX-License-Identifier: Apache-2.0
#include "engine/text/added_tokens.h"

#include "engine/text/unicode.h"

#include <algorithm>

namespace fkv::text {

namespace {

bool wordBefore(std::string_view text, std::size_t at) {
    return at > 0 && isWordCharacter(characterAt(text, characterBegin(text, at - 1)).code);
}

bool wordAt(std::string_view text, std::size_t at) {
    return at < text.size() && isWordCharacter(characterAt(text, at).code);
}

std::size_t spacesBefore(std::string_view text, std::size_t at, std::size_t least) {
    while (at > least) {
        const std::size_t last = characterBegin(text, at - 1);
        if (!isWhiteSpace(characterAt(text, last).code)) break;
        at = last;
    }
    return std::max(at, least);
}

std::size_t spacesAt(std::string_view text, std::size_t at) {
    while (at < text.size() && isWhiteSpace(characterAt(text, at).code))
        at += characterAt(text, at).length;
    return at;
}

} // namespace

std::uint32_t TokenFinder::child(std::uint32_t node, unsigned char byte) const {
    if (node == 0) return m_first[byte];
    for (const auto& [key, next] : m_nodes[node].next)
        if (key == byte) return next;
    return 0;
}

void TokenFinder::add(std::string_view content, const AddedToken& token) {
    if (content.empty()) return;
    std::uint32_t node = 0;
    for (const char c : content) {
        const auto byte = static_cast<unsigned char>(c);
        std::uint32_t next = child(node, byte);
        if (next == 0) {
            next = static_cast<std::uint32_t>(m_nodes.size());
            m_nodes.emplace_back();
            if (node == 0)
                m_first[byte] = next;
            else
                m_nodes[node].next.emplace_back(byte, next);
        }
        node = next;
    }
    if (m_nodes[node].token >= 0) return; // the first of two that read the same
    m_nodes[node].token = static_cast<std::int32_t>(m_tokens.size());
    m_tokens.push_back(token);
}

TokenFinder::Found TokenFinder::longestAt(std::string_view text, std::size_t at) const {
    Found found;
    std::uint32_t node = 0;
    while (at < text.size()) {
        node = child(node, static_cast<unsigned char>(text[at++]));
        if (node == 0) break;
        if (m_nodes[node].token >= 0) found = {m_nodes[node].token, at};
    }
    return found;
}

std::vector<Section> TokenFinder::find(std::string_view text) const {
    std::vector<Section> out;
    const auto range = [](std::size_t begin, std::size_t end) {
        return Range{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    };
    std::size_t taken = 0; // everything in front of it is in `out`
    for (std::size_t at = empty() ? text.size() : 0; at < text.size();) {
        const Found found = longestAt(text, at);
        if (found.token < 0) {
            ++at;
            continue;
        }
        const AddedToken& token = m_tokens[static_cast<std::size_t>(found.token)];
        std::size_t begin = at;
        std::size_t end = found.end;
        at = end;
        if (token.singleWord && (wordBefore(text, begin) || wordAt(text, end))) continue;
        if (token.stripLeft) begin = spacesBefore(text, begin, taken);
        if (token.stripRight) end = spacesAt(text, end);
        // A token of spaces may lie in what the token before took in.
        begin = std::max(begin, taken);
        end = std::max(end, taken);
        if (taken < begin) out.push_back({range(taken, begin), -1});
        out.push_back({range(begin, end), token.id});
        taken = end;
    }
    if (taken < text.size()) out.push_back({range(taken, text.size()), -1});
    return out;
}

} // namespace fkv::text
