// SPDX-License-Identifier: Apache-2.0
// What follows an expression: attributes, items, slices, calls, filters, tests.
#include "engine/text/jinja/expression_parser.h"
#include "engine/text/jinja/nodes.h"

#include <array>

namespace fkv::text::jinja {

using Kind = Token::Kind;

ExprPtr ExpressionParser::postfix(ExprPtr of) {
    while (true) {
        const int line = m_stream.line();
        if (m_stream.isOperator(".") || m_stream.isOperator("[")) {
            of = subscript(std::move(of));
        } else if (m_stream.isOperator("(")) {
            Arguments given = arguments();
            const int below = std::max(depthOf(of), depthOf(given));
            of = make(line, below, Call{std::move(of), std::move(given)});
        } else {
            return of;
        }
    }
}

ExprPtr ExpressionParser::filtersAndTests(ExprPtr of) {
    while (true) {
        if (m_stream.isOperator("|"))
            of = filters(std::move(of));
        else if (m_stream.isName("is"))
            of = test(std::move(of));
        else if (m_stream.isOperator("("))
            of = postfix(std::move(of));
        else
            return of;
    }
}

ExprPtr ExpressionParser::subscript(ExprPtr of) {
    const int line = m_stream.line();
    const auto item = [&](ExprPtr index) {
        const int below = std::max(depthOf(of), depthOf(index));
        return make(line, below, Item{std::move(of), std::move(index)});
    };
    if (m_stream.skipOperator(".")) {
        if (m_stream.is(Kind::Integer))
            return item(make(line, 0, Constant{{m_stream.next().integer}}));
        const int below = depthOf(of);
        return make(line, below, Attribute{std::move(of), m_stream.expectName()});
    }
    m_stream.expectOperator("[");
    std::array<ExprPtr, 3> parts;
    std::size_t part = 0;
    while (!m_stream.isOperator("]")) {
        if (m_stream.skipOperator(":")) {
            if (++part > 2) m_stream.unexpected("']'");
        } else {
            if (parts[part]) m_stream.unexpected("']'");
            parts[part] = expression();
        }
    }
    m_stream.expectOperator("]");
    if (part == 0) {
        if (!parts[0]) fault(line, "an index is missing between '[' and ']'");
        return item(std::move(parts[0]));
    }
    const int below =
        std::max({depthOf(of), depthOf(parts[0]), depthOf(parts[1]), depthOf(parts[2])});
    return make(
        line, below,
        Slice{std::move(of), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
}

Arguments ExpressionParser::arguments() {
    m_stream.expectOperator("(");
    Arguments given;
    while (!m_stream.isOperator(")")) {
        Argument argument;
        const bool named = !given.empty() && !given.back().name.empty() && given.back().name != "*";
        if (m_stream.isOperator("*") || m_stream.isOperator("**")) {
            argument.name = m_stream.next().text;
        } else if (m_stream.is(Kind::Name) && m_stream.look().kind == Kind::Operator &&
                   m_stream.look().text == "=") {
            argument.name = m_stream.next().text;
            m_stream.next();
        }
        if (named && (argument.name.empty() || argument.name == "*"))
            fault(m_stream.line(), "an argument by position follows one by name");
        argument.value = expression();
        given.push_back(std::move(argument));
        if (!m_stream.skipOperator(",")) break;
    }
    m_stream.expectOperator(")");
    return given;
}

ExprPtr ExpressionParser::filters(ExprPtr of, bool pipeIsPast) {
    while (pipeIsPast || m_stream.skipOperator("|")) {
        pipeIsPast = false;
        const int line = m_stream.line();
        std::string name = m_stream.expectName();
        Arguments given = m_stream.isOperator("(") ? arguments() : Arguments{};
        const int below = std::max(depthOf(of), depthOf(given));
        of = make(line, below, Filter{std::move(of), std::move(name), std::move(given)});
    }
    return of;
}

ExprPtr ExpressionParser::test(ExprPtr of) {
    const int line = m_stream.next().line; // "is"
    const bool negated = m_stream.skipName("not");
    std::string name = m_stream.expectName();
    Arguments given;
    const bool ends = m_stream.isName("else") || m_stream.isName("or") || m_stream.isName("and");
    if (m_stream.isOperator("(")) {
        given = arguments();
    } else if (m_stream.is(Kind::String) || m_stream.is(Kind::Integer) ||
               m_stream.is(Kind::Float) || m_stream.isOperator("[") || m_stream.isOperator("{") ||
               (m_stream.is(Kind::Name) && !ends)) {
        if (m_stream.isName("is")) m_stream.unexpected("something else than a second test");
        given.push_back({{}, postfix(primary())});
    }
    const int below = std::max(depthOf(of), depthOf(given));
    ExprPtr e = make(line, below, Test{std::move(of), std::move(name), std::move(given)});
    return negated ? make(line, below + 1, Unary{Operator::Not, std::move(e)}) : std::move(e);
}

} // namespace fkv::text::jinja
