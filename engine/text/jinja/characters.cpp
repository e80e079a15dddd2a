// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/characters.h"

#include <utf8proc.h>

namespace fkv::text::jinja {

namespace {

bool isCased(char32_t c) {
    return toUpper(c) != c || toLower(c) != c || c == 0xDF;
}

void appendUpper(std::string& out, char32_t c) {
    if (c == 0xDF)
        out += "SS"; // the sharp s has no capital of one letter
    else
        appendCodePoint(out, toUpper(c));
}

template <typename Each>
void eachCodePoint(std::string_view text, Each each) {
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = codePointAt(text, at);
        each(c.value);
        at += c.bytes;
    }
}

/// Start of the code point that ends before byte `end`.
std::size_t before(std::string_view text, std::size_t end) {
    std::size_t at = end - 1;
    while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U)
        --at;
    return codePointAt(text, at).bytes == end - at ? at : end - 1;
}

bool strips(char32_t c, const std::optional<std::string_view>& characters) {
    if (!characters) return isSpace(c);
    bool found = false;
    eachCodePoint(*characters, [&](char32_t each) { found = found || each == c; });
    return found;
}

} // namespace

CodePoint codePointAt(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1 || text.size() - at < length) return {lead, 1};
    char32_t value = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0U) != 0x80U) return {lead, 1};
        value = value << 6U | (byte(at + i) & 0x3FU);
    }
    return {value, length};
}

void appendCodePoint(std::string& to, char32_t c) {
    const auto put = [&](char32_t bits) { to += static_cast<char>(bits); };
    const auto tail = [&](unsigned shift) { put(0x80U | (c >> shift & 0x3FU)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0U | c >> 6U);
        tail(0);
    } else if (c < 0x10000) {
        put(0xE0U | c >> 12U);
        tail(6);
        tail(0);
    } else {
        put(0xF0U | c >> 18U);
        tail(12);
        tail(6);
        tail(0);
    }
}

std::size_t codePoints(std::string_view text) {
    std::size_t count = 0;
    eachCodePoint(text, [&](char32_t) { ++count; });
    return count;
}

std::size_t byteOf(std::string_view text, std::size_t index) {
    std::size_t at = 0;
    for (; index > 0 && at < text.size(); --index)
        at += codePointAt(text, at).bytes;
    return at;
}

bool isSpace(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

std::size_t spaceLength(std::string_view text, std::size_t at) {
    const std::size_t begin = at;
    while (at < text.size()) {
        const CodePoint c = codePointAt(text, at);
        if (!isSpace(c.value)) break;
        at += c.bytes;
    }
    return at - begin;
}

char32_t toUpper(char32_t c) {
    if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
    return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}

char32_t toLower(char32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

bool isPrintable(char32_t c) {
    if (c < 0x7F) return c >= 0x20;
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CN: // not assigned
    case UTF8PROC_CATEGORY_CC: // control, format, surrogate, private
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL: // separators
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
        return false;
    default:
        return true;
    }
}

bool isWord(char32_t c) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return c == '_';
    }
}

std::string upper(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    eachCodePoint(text, [&](char32_t c) { appendUpper(out, c); });
    return out;
}

std::string lower(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    eachCodePoint(text, [&](char32_t c) { appendCodePoint(out, toLower(c)); });
    return out;
}

std::string capitalize(std::string_view text) {
    if (text.empty()) return {};
    const CodePoint first = codePointAt(text, 0);
    std::string out;
    if (first.value == 0xDF)
        out = "Ss";
    else
        appendCodePoint(out, toUpper(first.value));
    return out + lower(text.substr(first.bytes));
}

std::string title(std::string_view text) {
    std::string out;
    bool inWord = false;
    eachCodePoint(text, [&](char32_t c) {
        if (c == 0xDF && !inWord)
            out += "Ss";
        else
            appendCodePoint(out, inWord ? toLower(c) : toUpper(c));
        inWord = isCased(c);
    });
    return out;
}

std::string_view strip(std::string_view text, const std::optional<std::string_view>& characters,
                       Sides sides) {
    while (sides.left && !text.empty()) {
        const CodePoint c = codePointAt(text, 0);
        if (!strips(c.value, characters)) break;
        text.remove_prefix(c.bytes);
    }
    while (sides.right && !text.empty()) {
        const std::size_t at = before(text, text.size());
        if (!strips(codePointAt(text, at).value, characters)) break;
        text = text.substr(0, at);
    }
    return text;
}

} // namespace fkv::text::jinja
