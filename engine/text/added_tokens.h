// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/offset_text.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::text {

/// A token that is looked for in the text before anything else is done to it.
struct AddedToken {
    std::int32_t id = -1;
    std::string content;
    bool singleWord = false; ///< only where no letter touches it
    bool stripLeft = false;  ///< takes in the white space in front
    bool stripRight = false; ///< takes in the white space behind
    bool normalized = false; ///< looked for after the normaliser rather than before
    bool special = false;    ///< a control token: decodes to nothing
};

/// A stretch of a text: an added token, or text between them.
struct Section {
    Range range;
    std::int32_t id = -1; ///< -1: text
};

/// Finds tokens of one kind, leftmost first and there the longest. Immutable.
class TokenFinder {
public:
    TokenFinder() { m_nodes.emplace_back(); }
    void add(std::string_view content, const AddedToken& token);
    bool empty() const { return m_tokens.empty(); }
    /// The sections of a text in order, none of them empty but for tokens.
    std::vector<Section> find(std::string_view text) const;

private:
    struct Node {
        std::vector<std::pair<unsigned char, std::uint32_t>> next;
        std::int32_t token = -1; ///< in m_tokens
    };
    struct Found {
        std::int32_t token = -1;
        std::size_t end = 0;
    };
    Found longestAt(std::string_view text, std::size_t at) const;
    std::uint32_t child(std::uint32_t node, unsigned char byte) const; ///< 0: none

    std::vector<Node> m_nodes; ///< a trie; node 0 is the root
    std::array<std::uint32_t, 256> m_first{};
    std::vector<AddedToken> m_tokens;
};

} // namespace fkv::text
