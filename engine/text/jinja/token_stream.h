// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/fault.h"
#include "engine/text/jinja/lexer.h"

#include <string>
#include <string_view>
#include <vector>

namespace fkv::text::jinja {

/// The tokens of a template, read one by one by both halves of the parser.
class TokenStream {
public:
    explicit TokenStream(std::vector<Token> tokens) : m_tokens(std::move(tokens)) {}

    const Token& current() const { return m_tokens[m_at]; }
    const Token& next() { return m_tokens[m_at + 1 < m_tokens.size() ? m_at++ : m_at]; }
    const Token& look() const { return m_tokens[m_at + 1 < m_tokens.size() ? m_at + 1 : m_at]; }
    int line() const { return current().line; }

    bool is(Token::Kind kind) const { return current().kind == kind; }
    bool isOperator(std::string_view text) const {
        return is(Token::Kind::Operator) && current().text == text;
    }
    bool isName(std::string_view text) const {
        return is(Token::Kind::Name) && current().text == text;
    }
    bool skipOperator(std::string_view text) {
        const bool there = isOperator(text);
        if (there) next();
        return there;
    }
    bool skipName(std::string_view text) {
        const bool there = isName(text);
        if (there) next();
        return there;
    }
    void expectOperator(std::string_view text) {
        if (!skipOperator(text)) unexpected("'" + std::string(text) + "'");
    }
    std::string expectName() {
        if (!is(Token::Kind::Name)) unexpected("a name");
        return next().text;
    }
    void expect(Token::Kind kind, std::string_view what) {
        if (!is(kind)) unexpected(what);
        next();
    }
    [[noreturn]] void unexpected(std::string_view wanted) const {
        fault(line(), "expected " + std::string(wanted) + ", got " + spelled(current()));
    }
    static std::string spelled(const Token& token) {
        switch (token.kind) {
        case Token::Kind::End:
            return "the end of the template";
        case Token::Kind::VariableEnd:
            return "'}}'";
        case Token::Kind::BlockEnd:
            return "'%}'";
        case Token::Kind::String:
            return "a string";
        case Token::Kind::Text:
            return "text";
        default:
            return "'" + token.text + "'";
        }
    }

    /// Counts how deep the parser is; one of these for each level.
    class Level {
    public:
        explicit Level(TokenStream& stream) : m_stream(stream) {
            if (++m_stream.m_depth > kMostDepth)
                fault(m_stream.line(), "the template is nested too deep");
        }
        ~Level() { --m_stream.m_depth; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        TokenStream& m_stream;
    };

private:
    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_depth = 0;
};

} // namespace fkv::text::jinja
