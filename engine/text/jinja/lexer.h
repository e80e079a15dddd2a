// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::text::jinja {

struct Token {
    enum class Kind : std::uint8_t {
        Text,          ///< between the tags, white space control applied
        VariableBegin, ///< {{
        VariableEnd,
        BlockBegin, ///< {%
        BlockEnd,
        Name,
        String, ///< escapes resolved
        Integer,
        Float,
        Operator,
        End
    };
    Kind kind = Kind::End;
    std::string text; ///< spelling, or content of a text or string
    int line = 1;
    std::int64_t integer = 0;
    double number = 0.0;
};

/// Cuts a template into tokens as Jinja does with trim_blocks and lstrip_blocks on: the line break
/// after a block or comment goes, and so do blanks before one that begins its line; "-" and "+" at
/// a tag's ends ask for more or less of that. One line break at the template's end goes.
/// Throws Error{BadFile} with the line.
std::vector<Token> tokenize(std::string_view source);

} // namespace fkv::text::jinja
