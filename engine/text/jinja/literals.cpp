// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/literals.h"

#include "engine/text/jinja/characters.h"

#include <array>
#include <charconv>
#include <cmath>

namespace fkv::text::jinja {

namespace {

int digitOf(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/// Length of digits of `base` with single "_" between them, from `at` on.
std::size_t digits(std::string_view text, std::size_t at, int base) {
    const std::size_t begin = at;
    while (at < text.size()) {
        const std::size_t next = at + (text[at] == '_' && at > begin ? 1 : 0);
        if (next >= text.size() || digitOf(text[next]) >= base) break;
        at = next + 1;
    }
    return at - begin;
}

std::string withoutUnderscores(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != '_') out += c;
    return out;
}

void readInteger(std::string_view text, int base, NumberLiteral& n) {
    const std::string plain = withoutUnderscores(text);
    const auto result = std::from_chars(plain.data(), plain.data() + plain.size(), n.integer, base);
    n.tooLarge = result.ec != std::errc();
}

/// End of the float that begins `text`, or 0 when there is none.
std::size_t floatEnd(std::string_view text) {
    const std::size_t whole = digits(text, 0, 10);
    std::size_t end = whole;
    if (end < text.size() && text[end] == '.')
        if (const std::size_t part = digits(text, end + 1, 10); part > 0) end += 1 + part;
    std::size_t exponent = end;
    if (exponent < text.size() && (text[exponent] == 'e' || text[exponent] == 'E')) {
        ++exponent;
        if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
        if (const std::size_t part = digits(text, exponent, 10); part > 0) end = exponent + part;
    }
    return end > whole ? end : 0;
}

/// Reads `count` hexadecimal digits; false when they are not there or give no character.
bool hexCharacter(std::string_view text, std::size_t at, std::size_t count, std::string& out) {
    if (text.size() < at || text.size() - at < count) return false;
    char32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const int digit = digitOf(text[at + i]);
        if (digit > 15) return false;
        value = value << 4U | static_cast<char32_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    appendCodePoint(out, value);
    return true;
}

/// Octal digits at `at`, up to three of them.
std::size_t octal(std::string_view text, std::size_t at, std::string& out) {
    char32_t value = 0;
    std::size_t length = 0;
    for (; length < 3 && at + length < text.size() && digitOf(text[at + length]) < 8; ++length)
        value = value << 3U | static_cast<char32_t>(digitOf(text[at + length]));
    appendCodePoint(out, value);
    return length;
}

} // namespace

NumberLiteral readNumber(std::string_view text, bool mayBeFloat) {
    NumberLiteral n;
    if (const std::size_t end = mayBeFloat ? floatEnd(text) : 0; end > 0) {
        const std::string plain = withoutUnderscores(text.substr(0, end));
        n.isFloat = true;
        n.length = end;
        const auto result = std::from_chars(plain.data(), plain.data() + plain.size(), n.number);
        // Out of range both ways: Python gives infinity, or zero.
        if (result.ec != std::errc()) n.number = plain.find("e-") != plain.npos ? 0.0 : INFINITY;
        return n;
    }
    static constexpr std::array<std::pair<char, int>, 3> kPrefixes{{{'x', 16}, {'o', 8}, {'b', 2}}};
    for (const auto& [letter, base] : kPrefixes) {
        if (text.size() < 3 || text[0] != '0' || (text[1] | 0x20) != letter) continue;
        const std::size_t from = text[2] == '_' ? 3 : 2;
        if (const std::size_t length = digits(text, from, base); length > 0) {
            n.length = from + length;
            readInteger(text.substr(from, length), base, n);
            return n;
        }
    }
    // A leading zero may be followed by zeros alone.
    n.length = text[0] == '0' ? digits(text, 0, 1) : digits(text, 0, 10);
    readInteger(text.substr(0, n.length), 10, n);
    return n;
}

bool unescape(std::string_view text, std::string& out) {
    static constexpr std::string_view kLetters = "\\'\"abfnrtv";
    static constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 >= text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        if (const std::size_t known = kLetters.find(c); known != std::string_view::npos) {
            out += kMeanings[known];
        } else if (c == '\n') {
            continue; // a line that goes on
        } else if (c == 'x' || c == 'u' || c == 'U') {
            const std::size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
            if (!hexCharacter(text, i + 1, count, out)) return false;
            i += count;
        } else if (digitOf(c) < 8) {
            i += octal(text, i, out) - 1;
        } else if (c == 'N') {
            return false; // names of characters are not known here
        } else {
            out += '\\';
            out += c;
        }
    }
    return true;
}

std::string floatText(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific)
                         .ptr;
    const std::string shortest(buffer.data(), end); // d.ddde±dd
    const std::size_t e = shortest.find('e');
    const int exponent = std::stoi(shortest.substr(e + 1));
    if (exponent >= -4 && exponent < 16) {
        const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                         std::chars_format::fixed)
                               .ptr;
        std::string text(buffer.data(), fixed);
        return text.find('.') == std::string::npos ? text + ".0" : text;
    }
    return shortest;
}

} // namespace fkv::text::jinja
