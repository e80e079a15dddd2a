// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/lexer.h"

#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/fault.h"
#include "engine/text/jinja/literals.h"

#include <algorithm>
#include <array>

namespace fkv::text::jinja {

namespace {

using Kind = Token::Kind;

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}
bool isNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Line breaks become "\n", and the last one goes.
std::string normalized(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r') {
            out += source[i];
            continue;
        }
        out += '\n';
        if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
    if (out.ends_with('\n')) out.pop_back();
    return out;
}

class Lexer {
public:
    explicit Lexer(std::string_view source) : m_source(normalized(source)) {}

    std::vector<Token> run() {
        while (m_at < m_source.size())
            lexText();
        push(Kind::End, {});
        return std::move(m_tokens);
    }

private:
    bool at(std::size_t i, std::string_view what) const {
        return m_source.compare(i, what.size(), what) == 0;
    }
    void push(Kind kind, std::string text) { m_tokens.push_back({kind, std::move(text), m_line}); }

    /// Moves on, counting lines; what was passed last decides whether blanks begin a line.
    void passTo(std::size_t end) {
        m_line +=
            static_cast<int>(std::count(m_source.begin() + static_cast<std::ptrdiff_t>(m_at),
                                        m_source.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
        if (end > m_at) m_lineStarting = m_source[end - 1] == '\n';
        m_at = end;
    }

    /// The text up to a tag, cut as the tag's sign asks.
    void pushText(std::size_t end, char sign, bool strips) {
        std::string_view text = std::string_view(m_source).substr(m_at, end - m_at);
        if (sign == '-') {
            text = strip(text, {}, {.left = false});
        } else if (sign != '+' && strips) {
            const std::size_t begin = text.rfind('\n') + 1; // 0 where there is none
            const bool blank =
                begin < text.size() && spaceLength(text, begin) == text.size() - begin;
            if ((begin > 0 || m_lineStarting) && blank) text = text.substr(0, begin);
        }
        if (!text.empty()) push(Kind::Text, std::string(text));
        passTo(end);
    }

    char signAt(std::size_t i) const {
        return i < m_source.size() && (m_source[i] == '-' || m_source[i] == '+') ? m_source[i]
                                                                                 : '\0';
    }

    void lexText() {
        std::size_t tag = m_source.find('{', m_at);
        while (tag != std::string::npos && !at(tag, "{%") && !at(tag, "{{") && !at(tag, "{#"))
            tag = m_source.find('{', tag + 1);
        if (tag == std::string::npos) {
            pushText(m_source.size(), '+', false);
            return;
        }
        const char sign = signAt(tag + 2);
        const std::size_t inside = tag + (sign == '\0' ? 2 : 3);
        pushText(tag, sign, m_source[tag + 1] != '{');
        if (m_source[tag + 1] == '#') {
            lexComment(inside);
        } else if (const std::size_t raw = rawBeginEnd(inside);
                   m_source[tag + 1] == '%' && raw > 0) {
            passTo(raw);
            lexRaw();
        } else {
            const bool block = m_source[tag + 1] == '%';
            push(block ? Kind::BlockBegin : Kind::VariableBegin, {});
            passTo(inside);
            lexTag(block);
        }
    }

    void lexComment(std::size_t inside) {
        const std::size_t end = m_source.find("#}", inside);
        if (end == std::string::npos) fault(m_line, "the comment is not closed");
        const char sign = end > inside ? signAt(end - 1) : '\0';
        passTo(tagEnd(end + 2, sign, true));
    }

    /// Where a tag ends that closes before byte `end`: further white space goes with "-", a line
    /// break with blocks and comments.
    std::size_t tagEnd(std::size_t end, char sign, bool trims) const {
        if (sign == '-') return end + spaceLength(m_source, end);
        if (sign == '\0' && trims && end < m_source.size() && m_source[end] == '\n') return end + 1;
        return end;
    }

    /// End of "raw %}" at `i`, or 0.
    std::size_t rawBeginEnd(std::size_t i) const {
        i += spaceLength(m_source, i);
        if (!at(i, "raw")) return 0;
        i += 3 + spaceLength(m_source, i + 3);
        if (at(i, "%}")) return i + 2;
        return at(i, "-%}") ? tagEnd(i + 3, '-', true) : 0;
    }

    void lexRaw() {
        if (m_at == m_source.size()) return; // as Jinja does: nothing to leave as it is
        for (std::size_t tag = m_source.find("{%", m_at); tag != std::string::npos;
             tag = m_source.find("{%", tag + 1)) {
            const char before = signAt(tag + 2);
            std::size_t i = tag + (before == '\0' ? 2 : 3);
            i += spaceLength(m_source, i);
            if (!at(i, "endraw")) continue;
            i += 6 + spaceLength(m_source, i + 6);
            const char after = signAt(i);
            if (after != '\0') ++i;
            if (!at(i, "%}")) continue;
            pushText(tag, before, true);
            passTo(tagEnd(i + 2, after, true));
            return;
        }
        fault(m_line, "the raw block is not closed");
    }

    /// Tokens up to the tag's end; brackets that are open hide it.
    void lexTag(bool block) {
        std::string open;
        while (m_at < m_source.size()) {
            if (open.empty() && closes(block)) return;
            if (const std::size_t space = spaceLength(m_source, m_at); space > 0) {
                passTo(m_at + space);
                continue;
            }
            const char c = m_source[m_at];
            if (isDigit(c))
                lexNumber();
            else if (isNameStart(c))
                lexName();
            else if (c == '"' || c == '\'')
                lexString(c);
            else
                lexOperator(open);
        }
        fault(m_line, block ? "the block tag is not closed" : "the expression is not closed");
    }

    bool closes(bool block) {
        const char sign = signAt(m_at);
        const std::size_t i = m_at + (sign == '\0' ? 0 : 1);
        if (!at(i, block ? "%}" : "}}") || (!block && sign == '+')) return false;
        push(block ? Kind::BlockEnd : Kind::VariableEnd, {});
        passTo(tagEnd(i + 2, sign, block));
        return true;
    }

    void lexName() {
        std::size_t end = m_at;
        while (end < m_source.size() && (isNameStart(m_source[end]) || isDigit(m_source[end])))
            ++end;
        push(Kind::Name, m_source.substr(m_at, end - m_at));
        passTo(end);
    }

    void lexNumber() {
        const bool afterDot = m_at > 0 && m_source[m_at - 1] == '.';
        const NumberLiteral n = readNumber(std::string_view(m_source).substr(m_at), !afterDot);
        if (n.tooLarge) fault(m_line, "a number is too large");
        push(n.isFloat ? Kind::Float : Kind::Integer, m_source.substr(m_at, n.length));
        m_tokens.back().integer = n.integer;
        m_tokens.back().number = n.number;
        passTo(m_at + n.length);
    }

    void lexString(char quote) {
        std::size_t end = m_at + 1;
        while (end < m_source.size() && m_source[end] != quote)
            end += m_source[end] == '\\' ? 2 : 1;
        if (end >= m_source.size()) fault(m_line, "a string is not closed");
        std::string text;
        if (!unescape(std::string_view(m_source).substr(m_at + 1, end - m_at - 1), text))
            fault(m_line, "a string has an escape that stands for no character");
        push(Kind::String, std::move(text));
        passTo(end + 1);
    }

    void lexOperator(std::string& open) {
        static constexpr std::array<std::string_view, 6> kTwo{"//", "**", "==", "!=", ">=", "<="};
        static constexpr std::string_view kOne = "+-/*%~[](){}><=.:|,;";
        for (const std::string_view two : kTwo)
            if (at(m_at, two)) {
                push(Kind::Operator, std::string(two));
                passTo(m_at + 2);
                return;
            }
        const char c = m_source[m_at];
        if (kOne.find(c) == std::string_view::npos)
            fault(m_line, std::string("unexpected character '") + c + "'");
        if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
        if (c == ')' || c == ']' || c == '}') {
            if (!open.ends_with(c)) fault(m_line, std::string("unexpected '") + c + "'");
            open.pop_back();
        }
        push(Kind::Operator, std::string(1, c));
        passTo(m_at + 1);
    }

    std::string m_source;
    std::size_t m_at = 0;
    int m_line = 1;
    bool m_lineStarting = true;
    std::vector<Token> m_tokens;
};

} // namespace

std::vector<Token> tokenize(std::string_view source) {
    return Lexer(source).run();
}

} // namespace fkv::text::jinja
