// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/expression_parser.h"

#include "engine/text/jinja/nodes.h"

#include <algorithm>
#include <array>
#include <optional>

namespace fkv::text::jinja {

namespace {

using Kind = Token::Kind;

ExprPtr makeBinary(int line, Operator op, ExprPtr left, ExprPtr right) {
    const int below = std::max(depthOf(left), depthOf(right));
    return make(line, below, Binary{op, std::move(left), std::move(right)});
}

ExprPtr makeText(int line, std::string text) {
    return make(line, 0,
                Constant{{Str{std::make_shared<const std::string>(std::move(text)), false}}});
}

using Spelling = std::pair<std::string_view, Operator>;

/// The operator at the stream among `choices`, taken off it.
template <std::size_t N>
std::optional<Operator> skipAny(TokenStream& stream, const std::array<Spelling, N>& choices) {
    for (const auto& [text, op] : choices)
        if (stream.skipOperator(text)) return op;
    return std::nullopt;
}

} // namespace

ExprPtr ExpressionParser::expression(bool withConditional) {
    const TokenStream::Level level(m_stream);
    ExprPtr e = disjunction();
    while (withConditional && m_stream.isName("if")) {
        const int line = m_stream.next().line;
        ExprPtr condition = disjunction();
        ExprPtr otherwise = m_stream.skipName("else") ? expression() : nullptr;
        const int below = std::max({depthOf(e), depthOf(condition), depthOf(otherwise)});
        e = make(line, below,
                 Conditional{std::move(condition), std::move(e), std::move(otherwise)});
    }
    return e;
}

ExprPtr ExpressionParser::disjunction() {
    return chain("or", &ExpressionParser::conjunction);
}

ExprPtr ExpressionParser::conjunction() {
    return chain("and", &ExpressionParser::negation);
}

ExprPtr ExpressionParser::chain(std::string_view word, ExprPtr (ExpressionParser::*part)()) {
    ExprPtr left = (this->*part)();
    while (m_stream.isName(word)) {
        const int line = m_stream.next().line;
        ExprPtr right = (this->*part)();
        const int below = std::max(depthOf(left), depthOf(right));
        left = make(line, below, Logic{word == "and", std::move(left), std::move(right)});
    }
    return left;
}

ExprPtr ExpressionParser::negation() {
    if (!m_stream.isName("not")) return comparison();
    const TokenStream::Level level(m_stream);
    const int line = m_stream.next().line;
    ExprPtr of = negation();
    const int below = depthOf(of);
    return make(line, below, Unary{Operator::Not, std::move(of)});
}

ExprPtr ExpressionParser::comparison() {
    static constexpr std::array<Spelling, 6> kOperators{{{"==", Operator::Equal},
                                                         {"!=", Operator::NotEqual},
                                                         {"<", Operator::Less},
                                                         {"<=", Operator::LessEqual},
                                                         {">", Operator::Greater},
                                                         {">=", Operator::GreaterEqual}}};
    const int line = m_stream.line();
    ExprPtr first = sum();
    Comparison node;
    int below = depthOf(first);
    while (true) {
        std::optional<Operator> op = skipAny(m_stream, kOperators);
        if (!op && m_stream.skipName("in")) op = Operator::In;
        if (!op && m_stream.isName("not") && m_stream.look().kind == Kind::Name &&
            m_stream.look().text == "in") {
            m_stream.next();
            m_stream.next();
            op = Operator::NotIn;
        }
        if (!op) break;
        node.rest.emplace_back(*op, sum());
        below = std::max(below, depthOf(node.rest.back().second));
    }
    if (node.rest.empty()) return first;
    node.first = std::move(first);
    return make(line, below, std::move(node));
}

ExprPtr ExpressionParser::sum() {
    static constexpr std::array<Spelling, 2> kOperators{
        {{"+", Operator::Add}, {"-", Operator::Subtract}}};
    ExprPtr left = concatenation();
    while (true) {
        const int line = m_stream.line();
        const auto op = skipAny(m_stream, kOperators);
        if (!op) return left;
        left = makeBinary(line, *op, std::move(left), concatenation());
    }
}

ExprPtr ExpressionParser::concatenation() {
    const int line = m_stream.line();
    Concat node;
    node.parts.push_back(product());
    while (m_stream.skipOperator("~"))
        node.parts.push_back(product());
    if (node.parts.size() == 1) return std::move(node.parts.front());
    const int below = depthOf(node.parts);
    return make(line, below, std::move(node));
}

ExprPtr ExpressionParser::product() {
    static constexpr std::array<Spelling, 4> kOperators{{{"*", Operator::Multiply},
                                                         {"/", Operator::Divide},
                                                         {"//", Operator::FloorDivide},
                                                         {"%", Operator::Modulo}}};
    ExprPtr left = power();
    while (true) {
        const int line = m_stream.line();
        const auto op = skipAny(m_stream, kOperators);
        if (!op) return left;
        left = makeBinary(line, *op, std::move(left), power());
    }
}

ExprPtr ExpressionParser::power() {
    ExprPtr left = unary();
    while (m_stream.isOperator("**")) {
        const int line = m_stream.next().line;
        left = makeBinary(line, Operator::Power, std::move(left), unary());
    }
    return left;
}

ExprPtr ExpressionParser::unary(bool withFilters) {
    const TokenStream::Level level(m_stream);
    static constexpr std::array<Spelling, 2> kOperators{
        {{"-", Operator::Minus}, {"+", Operator::Plus}}};
    const int line = m_stream.line();
    ExprPtr e;
    if (const auto op = skipAny(m_stream, kOperators)) {
        ExprPtr of = unary(false);
        const int below = depthOf(of);
        e = make(line, below, Unary{*op, std::move(of)});
    } else {
        e = primary();
    }
    e = postfix(std::move(e));
    return withFilters ? filtersAndTests(std::move(e)) : std::move(e);
}

ExprPtr ExpressionParser::primary() {
    const Token& token = m_stream.current();
    const int line = token.line;
    switch (token.kind) {
    case Kind::Name: {
        const std::string name = m_stream.next().text;
        if (name == "true" || name == "True") return make(line, 0, Constant{{true}});
        if (name == "false" || name == "False") return make(line, 0, Constant{{false}});
        if (name == "none" || name == "None") return make(line, 0, Constant{{None{}}});
        return make(line, 0, Name{name});
    }
    case Kind::String: {
        std::string text;
        while (m_stream.is(Kind::String))
            text += m_stream.next().text;
        return makeText(line, std::move(text));
    }
    case Kind::Integer:
        return make(line, 0, Constant{{m_stream.next().integer}});
    case Kind::Float:
        return make(line, 0, Constant{{m_stream.next().number}});
    default:
        break;
    }
    if (m_stream.skipOperator("(")) {
        ExprPtr e = tuple(true, true);
        m_stream.expectOperator(")");
        return e;
    }
    if (m_stream.skipOperator("[")) return list();
    if (m_stream.skipOperator("{")) return dict();
    m_stream.unexpected("an expression");
}

bool ExpressionParser::atTupleEnd(bool inLoopHead) const {
    return m_stream.is(Kind::VariableEnd) || m_stream.is(Kind::BlockEnd) ||
           m_stream.isOperator(")") || (inLoopHead && m_stream.isName("recursive"));
}

ExprPtr ExpressionParser::tuple(bool withConditional, bool mayBeEmpty) {
    const int line = m_stream.line();
    Listing node{{}, true};
    bool isTuple = false;
    while (!atTupleEnd(!withConditional)) {
        node.items.push_back(expression(withConditional));
        if (!m_stream.skipOperator(",")) break;
        isTuple = true;
    }
    if (!isTuple && !node.items.empty()) return std::move(node.items.front());
    if (!isTuple && !mayBeEmpty) m_stream.unexpected("an expression");
    const int below = depthOf(node.items);
    return make(line, below, std::move(node));
}

ExprPtr ExpressionParser::joined() {
    const int line = m_stream.line();
    Concat node;
    do
        node.parts.push_back(expression());
    while (m_stream.skipOperator(","));
    const int below = depthOf(node.parts);
    return make(line, below, std::move(node));
}

ExprPtr ExpressionParser::list() {
    const int line = m_stream.line();
    Listing node{{}, false};
    while (!m_stream.isOperator("]")) {
        node.items.push_back(expression());
        if (!m_stream.skipOperator(",")) break;
    }
    m_stream.expectOperator("]");
    const int below = depthOf(node.items);
    return make(line, below, std::move(node));
}

ExprPtr ExpressionParser::dict() {
    const int line = m_stream.line();
    Mapping node;
    int below = 0;
    while (!m_stream.isOperator("}")) {
        ExprPtr key = expression();
        m_stream.expectOperator(":");
        node.items.emplace_back(std::move(key), expression());
        below =
            std::max({below, depthOf(node.items.back().first), depthOf(node.items.back().second)});
        if (!m_stream.skipOperator(",")) break;
    }
    m_stream.expectOperator("}");
    return make(line, below, std::move(node));
}

} // namespace fkv::text::jinja
