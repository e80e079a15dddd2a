// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Characters of texts that were checked to be UTF-8 (io::isUtf8) before they came here.
namespace fkv::text {

struct Character {
    char32_t code = 0;
    std::size_t length = 1; ///< bytes
};

/// The character at byte `at`, which is in the text and begins a character.
Character characterAt(std::string_view text, std::size_t at);
void appendUtf8(std::string& out, char32_t code);
inline bool isContinuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}
/// First and past-the-end byte of the character that byte `at` belongs to; `at` may be the end.
std::size_t characterBegin(std::string_view text, std::size_t at);
std::size_t characterEnd(std::string_view text, std::size_t at);

/// Unicode's White_Space.
bool isWhiteSpace(char32_t code);
/// What `\w` means: Alphabetic, marks, decimal digits, connectors, joiners (UTS 18, annex C).
bool isWordCharacter(char32_t code);

/// Byte-level vocabularies spell every byte by a printable character of its own (after GPT-2):
/// bytes that print keep their code point, the others follow from U+0100 on.
std::string_view byteSpelling(unsigned char byte);
/// The byte that a character of that alphabet stands for, or -1.
int byteOfSpelling(char32_t code);
std::string spellBytes(std::string_view bytes);

} // namespace fkv::text
