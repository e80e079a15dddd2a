// SPDX-License-Identifier: Apache-2.0
#include "engine/text/pattern_properties.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace fkv::text {

namespace {

struct LongName {
    std::string_view name, brief;
};
/// PCRE2 knows general categories by their short names alone.
constexpr std::array kCategories{
    LongName{"letter", "L"},
    LongName{"lowercaseletter", "Ll"},
    LongName{"uppercaseletter", "Lu"},
    LongName{"titlecaseletter", "Lt"},
    LongName{"modifierletter", "Lm"},
    LongName{"otherletter", "Lo"},
    LongName{"mark", "M"},
    LongName{"nonspacingmark", "Mn"},
    LongName{"spacingmark", "Mc"},
    LongName{"enclosingmark", "Me"},
    LongName{"number", "N"},
    LongName{"decimalnumber", "Nd"},
    LongName{"letternumber", "Nl"},
    LongName{"othernumber", "No"},
    LongName{"punctuation", "P"},
    LongName{"connectorpunctuation", "Pc"},
    LongName{"dashpunctuation", "Pd"},
    LongName{"openpunctuation", "Ps"},
    LongName{"closepunctuation", "Pe"},
    LongName{"initialpunctuation", "Pi"},
    LongName{"finalpunctuation", "Pf"},
    LongName{"otherpunctuation", "Po"},
    LongName{"symbol", "S"},
    LongName{"mathsymbol", "Sm"},
    LongName{"currencysymbol", "Sc"},
    LongName{"modifiersymbol", "Sk"},
    LongName{"othersymbol", "So"},
    LongName{"separator", "Z"},
    LongName{"spaceseparator", "Zs"},
    LongName{"lineseparator", "Zl"},
    LongName{"paragraphseparator", "Zp"},
    LongName{"other", "C"},
    LongName{"control", "Cc"},
    LongName{"format", "Cf"},
    LongName{"privateuse", "Co"},
    LongName{"surrogate", "Cs"},
    LongName{"unassigned", "Cn"},
};
/// Longer names that are no script: they go through as they are.
constexpr std::array<std::string_view, 14> kBinary{"any",
                                                   "alphabetic",
                                                   "alpha",
                                                   "lowercase",
                                                   "uppercase",
                                                   "emoji",
                                                   "ascii",
                                                   "emojimodifier",
                                                   "math",
                                                   "ideographic",
                                                   "extender",
                                                   "dash",
                                                   "emojipresentation",
                                                   "extendedpictographic"};

std::string plainName(std::string_view name) {
    std::string out;
    for (const char c : name)
        if (c != '_' && c != ' ' && c != '-')
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

} // namespace

std::string propertyName(std::string_view name) {
    const std::string plain = plainName(name);
    const std::size_t equals = plain.find('=');
    if (equals != std::string::npos) {
        const std::string key = plain.substr(0, equals);
        const std::string value(name.substr(name.find('=') + 1));
        if (key == "gc" || key == "generalcategory") return propertyName(value);
        if (key == "sc" || key == "script") return "sc:" + value;
        return std::string(name);
    }
    for (const LongName& category : kCategories)
        if (category.name == plain) return std::string(category.brief);
    const bool script =
        plain.size() > 2 && std::find(kBinary.begin(), kBinary.end(), plain) == kBinary.end();
    return (script ? "sc:" : "") + std::string(name);
}

} // namespace fkv::text
