// SPDX-License-Identifier: Apache-2.0
#include "engine/text/pattern_dialect.h"

#include "engine/core/error.h"
#include "engine/text/unicode.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace fkv::text {

namespace {

// Contents of sets. White_Space and its complement are spelled out: PCRE2's own \s holds U+180E.
constexpr std::string_view kSpace = // ends in a range: a hyphen behind it stands for itself
    R"(\x20\x{85}\x{a0}\x{1680}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x09-\x0d\x{2000}-\x{200a})";
constexpr std::string_view kNotSpace =
    R"(\x{00}-\x08\x0e-\x1f\x21-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kHex = "0-9A-Fa-f";

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

class Translator {
public:
    Translator(std::string_view from, Dialect dialect, const std::string& where)
        : m_from(from), m_dialect(dialect), m_where(where) {}

    std::string run() {
        while (m_at < m_from.size())
            step();
        return std::move(m_out);
    }

private:
    [[noreturn]] void refuse(ErrorCode code, const std::string& what) const {
        throw Error(code, m_where + ": " + what + " in the regular expression");
    }
    char peek(std::size_t ahead = 0) const {
        return m_at + ahead < m_from.size() ? m_from[m_at + ahead] : '\0';
    }

    void step() {
        switch (peek()) {
        case '\\':
            atom();
            escape(false);
            break;
        case '[':
            atom();
            set();
            break;
        case '(':
            m_groups.push_back(m_out.size());
            group();
            break;
        case ')':
            m_atom = m_groups.empty() ? m_out.size() : m_groups.back();
            if (!m_groups.empty()) m_groups.pop_back();
            m_out += m_from[m_at++];
            break;
        case '{':
            interval();
            break;
        case '*':
        case '+':
        case '?':
        case '|':
            m_out += m_from[m_at++];
            break;
        default:
            atom();
            copyCharacter();
        }
    }

    void atom() { m_atom = m_out.size(); }

    void copyCharacter() {
        const std::size_t length = std::min(characterAt(m_from, m_at).length, m_from.size() - m_at);
        m_out += m_from.substr(m_at, length);
        m_at += length;
    }

    /// `(` and what makes it special. Flags have other letters in Oniguruma.
    void group() {
        m_out += m_from[m_at++];
        if (peek() != '?') return;
        m_out += m_from[m_at++];
        while (std::isalpha(static_cast<unsigned char>(peek())) != 0 || peek() == '-') {
            const char flag = m_from[m_at++];
            if (flag == 'P' || flag == 'R') {
                m_out += flag;
                return; // a named group, a recursion
            }
            const bool dotAll = flag == 'm' && m_dialect == Dialect::Oniguruma;
            if (flag != 'u') m_out += dotAll ? 's' : flag;
        }
    }

    /// `{n}`, `{n,m}`; a brace that is none of these stands for itself.
    void interval() {
        std::size_t end = m_at + 1;
        bool comma = false, digit = false;
        while (end < m_from.size() && m_from[end] != '}') {
            const char c = m_from[end++];
            if (c == ',' && !comma)
                comma = true;
            else if (c >= '0' && c <= '9')
                digit = true;
            else
                digit = false, end = m_from.size();
        }
        if (end >= m_from.size() || !digit) {
            atom();
            m_out += "\\{";
            ++m_at;
            return;
        }
        std::string text(m_from.substr(m_at, end + 1 - m_at));
        if (text[1] == ',') text.insert(1, "0"); // {,m}
        m_at = end + 1;
        m_out += text;
        if (peek() == '+' && m_dialect == Dialect::Oniguruma) {
            m_out.insert(m_atom, "(?:");
            m_out += ')';
        }
    }

    /// A set's contents as an atom, or within a set as they are.
    void content(std::string_view contents, bool negated, bool inSet) {
        if (inSet) {
            if (m_out.ends_with('-') && !m_out.ends_with("\\-"))
                m_out.insert(m_out.size() - 1, "\\");
            m_out += contents;
        } else {
            m_out += negated ? "[^" : "[";
            m_out += contents;
            m_out += ']';
        }
    }

    void escape(bool inSet) {
        const char c = peek(1);
        if (c == '\0') refuse(ErrorCode::BadFile, "a backslash at the end");
        const bool onig = m_dialect == Dialect::Oniguruma;
        m_at += 2;
        if (c == 's') return content(kSpace, false, inSet);
        if (c == 'S') return content(kNotSpace, false, inSet);
        if (c == 'w') return content(wordContents(), false, inSet);
        if (c == 'W' && !inSet) return content(wordContents(), true, inSet);
        if (c == 'W') refuse(ErrorCode::Unsupported, "\\W within a set");
        if (c == 'h' && onig) return content(kHex, false, inSet);
        if (c == 'H' && onig && !inSet) return content(kHex, true, inSet);
        if (c == 'v') {
            m_out += "\\x0b";
            return;
        }
        if (c == 'p' || c == 'P') return property(c);
        if (c == 'u' || c == 'U') return codePoint(c == 'u' ? 4 : 8);
        m_at -= 1;
        m_out += '\\';
        copyCharacter();
        if (c == 'x' || c == 'o' || c == 'g' || c == 'k') braces();
    }

    /// `{...}` of an escape, which is no interval.
    void braces() {
        if (peek() != '{') return;
        const std::size_t end = m_from.find('}', m_at);
        if (end == std::string_view::npos) refuse(ErrorCode::BadFile, "an open brace");
        m_out += m_from.substr(m_at, end + 1 - m_at);
        m_at = end + 1;
    }

    std::string wordContents() const {
        return std::string(kWord) + (m_dialect == Dialect::Rust
                                         ? R"(\x{200c}\x{200d})"
                                         : R"(\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})");
    }

    /// `\p{Name}`, `\p{^Name}`, `\pL`.
    void property(char kind) {
        m_out += '\\';
        m_out += kind;
        if (peek() != '{') return;
        const std::size_t end = m_from.find('}', m_at);
        if (end == std::string_view::npos) refuse(ErrorCode::BadFile, "an open \\p{");
        std::string_view name = m_from.substr(m_at + 1, end - m_at - 1);
        m_at = end + 1;
        m_out += '{';
        if (name.starts_with('^')) {
            m_out += '^';
            name.remove_prefix(1);
        }
        m_out += propertyName(name) + '}';
    }

    static std::string propertyName(std::string_view name) {
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

    void codePoint(std::size_t digits) {
        if (peek() == '{') {
            m_out += "\\x";
            return braces();
        }
        if (m_from.size() - m_at < digits) refuse(ErrorCode::BadFile, "a code point cut short");
        m_out += "\\x{" + std::string(m_from.substr(m_at, digits)) + '}';
        m_at += digits;
    }

    void set() {
        m_out += m_from[m_at++];
        if (peek() == '^') m_out += m_from[m_at++];
        if (peek() == ']') m_out += "\\]", ++m_at;
        for (;;) {
            const char c = peek();
            if (m_at >= m_from.size()) refuse(ErrorCode::BadFile, "an open set");
            if (c == ']') break;
            if (c == '[' && peek(1) == ':') {
                const std::size_t end = m_from.find(":]", m_at);
                if (end == std::string_view::npos) refuse(ErrorCode::BadFile, "an open set");
                m_out += m_from.substr(m_at, end + 2 - m_at);
                m_at = end + 2;
            } else if (c == '[' || (c == '&' && peek(1) == '&')) {
                refuse(ErrorCode::Unsupported, "a set within a set");
            } else if (c == '\\') {
                escape(true);
            } else {
                copyCharacter();
            }
        }
        m_out += m_from[m_at++];
    }

    std::string_view m_from;
    Dialect m_dialect;
    const std::string& m_where;
    std::size_t m_at = 0;
    std::string m_out;
    std::size_t m_atom = 0;            ///< where in m_out the last atom began
    std::vector<std::size_t> m_groups; ///< where the open groups began
};

} // namespace

std::string translatePattern(std::string_view expression, Dialect dialect,
                             const std::string& where) {
    return Translator(expression, dialect, where).run();
}

} // namespace fkv::text
