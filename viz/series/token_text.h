// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/run.h"
#include "viz/series/position_axis.h"

#include <QString>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::viz {

/// How one box of the text looks before a font is chosen. Equal boxes share one shape, so that what
/// a font costs is paid once a shape and not once a token.
struct TokenShape {
    enum class Kind : std::uint8_t {
        Text,
        Newline, ///< holds a line feed: drawn as "↵", and the line ends after it
        Pill     ///< control character, stray byte or token without text, by its name
    };
    std::string bytes; ///< of the text; empty for a token that covers none
    QString label;     ///< as drawn
    Kind kind = Kind::Text;
    bool ascii = true;         ///< every character of the label is
    bool leadingSpace = false; ///< a space that a wrapped line may swallow
    bool breakBefore = false;  ///< a line may end before it
    bool breakAfter = false;   ///< a line may end after it
    std::int8_t direction = 0; ///< first strong character: 1 left to right, -1 right to left
};

/// A piece of text as a shape, alone: what the answers show, token by token.
TokenShape shapeOfText(std::string_view bytes);

/// The tokens of a prompt as boxes. A box is usually one token; tokens that share a character (one
/// split into bytes), or go on with a combining mark, share a box. Any bytes are taken: what is not
/// UTF-8 becomes a pill with its hexadecimal value. Immutable; linear in the prompt.
class TokenText {
public:
    static constexpr std::uint32_t kJoined = 0xffffffffU;

    explicit TokenText(std::shared_ptr<const trace::Prompt> prompt);

    std::int64_t size() const { return static_cast<std::int64_t>(m_shapeOf.size()); }
    const trace::Prompt& prompt() const { return *m_prompt; }
    const std::vector<TokenShape>& shapes() const { return m_shapes; }
    /// Index into shapes(), or kJoined when the token belongs to the box of the token before it.
    const std::vector<std::uint32_t>& shapeOf() const { return m_shapeOf; }
    /// All tokens of the box that holds `token`, which must be in [0, size()).
    TokenRange box(std::int64_t token) const;
    /// Text of tokens [begin, end) of the prompt, each character once.
    std::string text(TokenRange tokens) const;

private:
    void addBoxes();

    std::shared_ptr<const trace::Prompt> m_prompt;
    std::vector<TokenShape> m_shapes;
    std::vector<std::uint32_t> m_shapeOf; ///< [N]
};

/// The character at `at`, or one byte of what is not UTF-8.
struct Utf8Character {
    char32_t code = 0;
    int length = 1;
    bool valid = false;
};
Utf8Character utf8At(std::string_view bytes, std::size_t at);

} // namespace fkv::viz
