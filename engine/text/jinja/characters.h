// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Text as Python sees it: a sequence of code points. All functions take valid UTF-8; what is not is
// passed through byte by byte and never read past its end.
namespace fkv::text::jinja {

/// The code point at byte `at`, and how many bytes spell it (at least 1).
struct CodePoint {
    char32_t value;
    std::size_t bytes;
};
CodePoint codePointAt(std::string_view text, std::size_t at);
void appendCodePoint(std::string& to, char32_t value);
std::size_t codePoints(std::string_view text);
/// Byte at which code point `index` begins; the size for an index past the end.
std::size_t byteOf(std::string_view text, std::size_t index);

/// str.isspace() of one character, which is also what \s matches.
bool isSpace(char32_t c);
/// Length in bytes of the white space that `text` has at `at`.
std::size_t spaceLength(std::string_view text, std::size_t at);

/// str.isprintable() of one character: what repr() shows as it is.
bool isPrintable(char32_t c);
/// A letter, a digit or "_": what \w matches.
bool isWord(char32_t c);

/// The one letter of the other case; where a language has several of them, the letter itself.
char32_t toUpper(char32_t c);
char32_t toLower(char32_t c);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text); ///< str.title()

/// str.strip(): white space, or any of `characters`.
struct Sides {
    bool left = true, right = true;
};
std::string_view strip(std::string_view text, const std::optional<std::string_view>& characters,
                       Sides sides = {});

} // namespace fkv::text::jinja
