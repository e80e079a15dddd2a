// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fkv::text::jinja {

/// A number at the beginning of a text: decimal, 0x, 0o, 0b, "_" between digits, or a float.
struct NumberLiteral {
    std::size_t length = 0;
    bool isFloat = false;
    bool tooLarge = false; ///< a whole number beyond 64 bits
    std::int64_t integer = 0;
    double number = 0.0;
};
/// `text` begins with a digit.
NumberLiteral readNumber(std::string_view text, bool mayBeFloat);

/// The content of a string literal with Python's escapes resolved (\n, \x41, \u20ac, octal, ...);
/// an unknown escape stays as it is. False when one stands for no character.
bool unescape(std::string_view text, std::string& out);

/// A float as Python prints it: "1.0", "1e-05", "inf".
std::string floatText(double value);

} // namespace fkv::text::jinja
