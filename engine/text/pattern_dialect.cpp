// SPDX-License-Identifier: Apache-2.0
#include "engine/text/pattern_dialect.h"

#include "engine/core/error.h"
#include "engine/text/pattern_properties.h"
#include "engine/text/unicode.h"
#include "engine/text/unicode_newer.h"

#include <algorithm>
#include <cctype>

namespace fkv::text {

namespace {

// Contents of sets. White_Space and its complement are spelled out: PCRE2's own \s holds U+180E.
// They end in a range or a class, so that a hyphen behind them stands for itself.
constexpr std::string_view kSpace =
    R"(\x20\x{85}\x{a0}\x{1680}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x09-\x0d\x{2000}-\x{200a})";
constexpr std::string_view kNotSpace =
    R"(\x{00}-\x08\x0e-\x1f\x21-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kHex = "0-9A-Fa-f";

constexpr int kMostSets = 16;

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
    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorCode::BadFile, m_where + ": " + what + " in the regular expression");
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
        if (c == '\0') refuse("a backslash at the end");
        const bool onig = m_dialect == Dialect::Oniguruma;
        m_at += 2;
        if (c == 's') return content(kSpace, false, inSet);
        if (c == 'S') return content(kNotSpace, false, inSet);
        if (c == 'w' || c == 'W') return content(wordContents(), c == 'W', inSet);
        if (c == 'd' || c == 'D')
            return content(R"(\p{Nd})" + newerCharacters("Nd"), c == 'D', inSet);
        if ((c == 'h' || c == 'H') && onig) return content(kHex, c == 'H', inSet);
        if (c == 'v') {
            m_out += "\\x0b";
            return;
        }
        if (c == 'p' || c == 'P') return property(c == 'P', inSet);
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
        if (end == std::string_view::npos) refuse("an open brace");
        m_out += m_from.substr(m_at, end + 1 - m_at);
        m_at = end + 1;
    }

    std::string wordContents() const {
        std::string out(kWord);
        for (const char* category : {"L", "M", "Nd"})
            out += newerCharacters(category);
        return out + (m_dialect == Dialect::Rust ? R"(\x{200c}-\x{200d})"
                                                 : R"(\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})");
    }

    /// `\p{Name}`, `\p{^Name}`, `\pL`, and their opposites with a capital.
    void property(bool negated, bool inSet) {
        std::string_view name;
        if (peek() == '{') {
            const std::size_t end = m_from.find('}', m_at);
            if (end == std::string_view::npos) refuse("an open \\p{");
            name = m_from.substr(m_at + 1, end - m_at - 1);
            m_at = end + 1;
        } else {
            name = m_from.substr(m_at, 1);
            m_at += name.size();
        }
        if (name.starts_with('^')) {
            negated = !negated;
            name.remove_prefix(1);
        }
        const std::string known = propertyName(name);
        content("\\p{" + known + '}' + newerCharacters(known), negated, inSet);
    }

    /// Does a class begin here that a set of PCRE2 cannot take in along with the newer characters?
    bool isNegatedClass() const {
        const char c = peek(1);
        return c == 'W' || c == 'D' || c == 'P' || (c == 'H' && m_dialect == Dialect::Oniguruma) ||
               (c == 'p' && peek(2) == '{' && peek(3) == '^');
    }

    void codePoint(std::size_t digits) {
        if (peek() == '{') {
            m_out += "\\x";
            return braces();
        }
        if (m_from.size() - m_at < digits) refuse("a code point cut short");
        m_out += "\\x{" + std::string(m_from.substr(m_at, digits)) + '}';
        m_at += digits;
    }

    /// A set. PCRE2 has no sets within sets and no `&&`; choices and look-ahead say the same.
    void set() {
        if (++m_setDepth > kMostSets) refuse("sets nested too deep");
        std::string outer = std::move(m_out);
        m_out.clear(); // gathers contents
        ++m_at;
        const bool negated = peek() == '^';
        if (negated) ++m_at;
        if (peek() == ']') m_out += "\\]", ++m_at;
        std::vector<std::string> inner, operands;
        while (peek() != ']') {
            if (m_at >= m_from.size()) refuse("an open set");
            if (peek() == '&' && peek(1) == '&') {
                m_at += 2;
                operands.push_back(operand(m_out, inner));
                m_out.clear();
                inner.clear();
            } else {
                setItem(inner);
            }
        }
        ++m_at;
        const bool plain = inner.empty() && operands.empty();
        if (negated && plain)
            m_out = outer + "[^" + m_out + ']';
        else
            m_out = outer + intersection(operands, operand(m_out, inner), negated);
        --m_setDepth;
    }

    /// One item of a set: into m_out what PCRE2 takes in a set, into `inner` a set.
    void setItem(std::vector<std::string>& inner) {
        if (peek() == '[' && peek(1) == ':') {
            const std::size_t end = m_from.find(":]", m_at);
            if (end == std::string_view::npos) refuse("an open set");
            m_out += m_from.substr(m_at, end + 2 - m_at);
            m_at = end + 2;
        } else if (peek() == '[' || (peek() == '\\' && isNegatedClass())) {
            std::string contents = std::move(m_out);
            m_out.clear();
            if (peek() == '[')
                set();
            else
                escape(false);
            inner.push_back(std::move(m_out));
            m_out = std::move(contents);
        } else if (peek() == '\\') {
            escape(true);
        } else {
            copyCharacter();
        }
    }

    /// An expression for one character of the contents or of a set within.
    std::string operand(const std::string& contents, const std::vector<std::string>& inner) const {
        if (contents.empty() && inner.empty()) refuse("an empty set");
        std::string out = contents.empty() ? "" : '[' + contents + ']';
        for (const std::string& set : inner)
            out += (out.empty() ? "" : "|") + set;
        return inner.empty() ? out : "(?:" + out + ')';
    }

    static std::string intersection(const std::vector<std::string>& operands,
                                    const std::string& last, bool negated) {
        std::string all;
        for (const std::string& one : operands)
            all += "(?=" + one + ')';
        all += last;
        if (negated) return "(?:(?!" + all + ")\\p{Any})";
        return operands.empty() ? all : "(?:" + all + ')';
    }

    std::string_view m_from;
    Dialect m_dialect;
    const std::string& m_where;
    std::size_t m_at = 0;
    std::string m_out;
    std::size_t m_atom = 0;            ///< where in m_out the last atom began
    std::vector<std::size_t> m_groups; ///< where the open groups began
    int m_setDepth = 0;
};

} // namespace

std::string translatePattern(std::string_view expression, Dialect dialect,
                             const std::string& where) {
    return Translator(expression, dialect, where).run();
}

} // namespace fkv::text
