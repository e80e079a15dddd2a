// SPDX-License-Identifier: Apache-2.0
#include "engine/text/unicode.h"

#include <array>
#include <utf8proc.h>

namespace fkv::text {

namespace {

/// Both directions of the byte alphabet.
struct ByteAlphabet {
    std::array<std::string, 256> spelling;
    std::array<int, 0x144> byte; // U+0143 is the last one used: 256 + 68 bytes that do not print

    ByteAlphabet() {
        byte.fill(-1);
        char32_t next = 0x100;
        for (unsigned b = 0; b < 256; ++b) {
            const bool prints = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
            const char32_t code = prints ? b : next++;
            appendUtf8(spelling[b], code);
            byte[code] = static_cast<int>(b);
        }
    }
};

const ByteAlphabet& alphabet() {
    static const ByteAlphabet table;
    return table;
}

bool within(char32_t code, char32_t first, char32_t last) {
    return code >= first && code <= last;
}

} // namespace

Character characterAt(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) & 0x3FU : 0U;
    };
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return {lead, 1};
    if (lead < 0xE0) return {(lead & 0x1FU) << 6 | byte(1), 2};
    if (lead < 0xF0) return {(lead & 0x0FU) << 12 | byte(1) << 6 | byte(2), 3};
    return {(lead & 0x07U) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3), 4};
}

void appendUtf8(std::string& out, char32_t code) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

std::size_t characterBegin(std::string_view text, std::size_t at) {
    while (at > 0 && at < text.size() && isContinuation(text[at]))
        --at;
    return at;
}

std::size_t characterEnd(std::string_view text, std::size_t at) {
    while (at < text.size() && isContinuation(text[at]))
        ++at;
    return at;
}

bool isWhiteSpace(char32_t code) {
    if (code < 0x80) return code == ' ' || within(code, 0x09, 0x0D);
    return code == 0x85 || code == 0xA0 || code == 0x1680 || within(code, 0x2000, 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool isWordCharacter(char32_t code) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        // Circled letters are symbols and yet alphabetic; the joiners count as well.
        return within(code, 0x24B6, 0x24E9) || within(code, 0x1F130, 0x1F149) ||
               within(code, 0x1F150, 0x1F169) || within(code, 0x1F170, 0x1F189) || code == 0x200C ||
               code == 0x200D;
    }
}

std::string_view byteSpelling(unsigned char byte) {
    return alphabet().spelling[byte];
}

int byteOfSpelling(char32_t code) {
    return code < alphabet().byte.size() ? alphabet().byte[code] : -1;
}

std::string spellBytes(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes)
        out += byteSpelling(static_cast<unsigned char>(c));
    return out;
}

} // namespace fkv::text
