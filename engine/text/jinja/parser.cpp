// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/parser.h"

#include "engine/text/jinja/expression_parser.h"

#include <algorithm>
#include <initializer_list>

namespace fkv::text::jinja {

namespace {

using Kind = Token::Kind;
using Ends = std::initializer_list<std::string_view>;

class Parser {
public:
    explicit Parser(std::string_view source)
        : m_stream(tokenize(source)), m_expressions(m_stream) {}

    Body run() {
        Body all = body({});
        if (!m_stream.is(Kind::End)) m_stream.unexpected("the end of the template");
        return all;
    }

private:
    /// Statements up to a block whose name is one of `ends`; the stream then stands at that name.
    Body body(Ends ends) {
        const TokenStream::Level level(m_stream);
        const int begin = m_stream.line();
        Body all;
        while (!m_stream.is(Kind::End)) {
            const int line = m_stream.line();
            if (m_stream.is(Kind::Text)) {
                all.push_back({line, Text{m_stream.next().text}});
            } else if (m_stream.is(Kind::VariableBegin)) {
                m_stream.next();
                all.push_back({line, Output{m_expressions.tuple()}});
                m_stream.expect(Kind::VariableEnd, "'}}'");
            } else {
                m_stream.expect(Kind::BlockBegin, "a tag");
                const auto isEnd = [&](std::string_view end) { return m_stream.isName(end); };
                if (std::any_of(ends.begin(), ends.end(), isEnd)) return all;
                all.push_back(statement(line));
                m_stream.expect(Kind::BlockEnd, "'%}'");
            }
        }
        if (ends.size() > 0) fault(begin, "'" + std::string(*(ends.end() - 1)) + "' is missing");
        return all;
    }

    void blockEnd() { m_stream.expect(Kind::BlockEnd, "'%}'"); }

    /// A body with its end: "%} ... {% end".
    Body closedBody(std::string_view end) {
        blockEnd();
        Body all = body({end});
        m_stream.next();
        return all;
    }

    Stmt statement(int line) {
        const std::string name = m_stream.expectName();
        if (name == "if") return {line, conditional()};
        if (name == "for") return {line, loop()};
        if (name == "set") return assignment(line);
        if (name == "macro") return {line, macro()};
        if (name == "call") return {line, callBlock()};
        if (name == "filter") {
            ExprPtr filter = m_expressions.filters(nullptr, true);
            return {line, FilterBlock{std::move(filter), ownBody("endfilter")}};
        }
        if (name == "with") return {line, with()};
        if (name == "generation") return {line, Generation{ownBody("endgeneration")}};
        if (name == "print") return {line, Output{m_expressions.joined()}};
        if (name == "break" || name == "continue") {
            if (m_loops == 0) fault(line, "'" + name + "' stands outside a loop");
            if (name == "break") return {line, Break{}};
            return {line, Continue{}};
        }
        static constexpr std::string_view kOthers[]{"include", "import", "from",       "extends",
                                                    "block",   "do",     "autoescape", "trans"};
        if (std::ranges::find(kOthers, name) != std::end(kOthers))
            fault(line, "the tag '" + name + "' is not supported", ErrorCode::Unsupported);
        fault(line, "unknown tag '" + name + "'");
    }

    If conditional() {
        If node;
        ExprPtr condition = m_expressions.tuple(false);
        while (true) {
            blockEnd();
            if (condition)
                node.branches.emplace_back(std::move(condition), body({"elif", "else", "endif"}));
            else
                node.otherwise = body({"endif"});
            const std::string name = m_stream.next().text;
            if (name == "endif") return node;
            condition = name == "elif" ? m_expressions.tuple(false) : nullptr;
        }
    }

    For loop() {
        For node;
        const int line = m_stream.line();
        node.target = target(false);
        if (usesLoop(node.target)) fault(line, "'loop' cannot be the name of an item");
        if (!m_stream.skipName("in")) m_stream.unexpected("'in'");
        node.items = m_expressions.tuple(false);
        if (m_stream.skipName("if")) node.test = m_expressions.expression();
        node.recursive = m_stream.skipName("recursive");
        blockEnd();
        ++m_loops;
        node.body = body({"else", "endfor"});
        --m_loops;
        if (m_stream.next().text == "endfor") return node;
        node.otherwise = closedBody("endfor");
        return node;
    }

    static bool usesLoop(const Target& t) {
        return t.name == "loop" || std::ranges::any_of(t.parts, usesLoop);
    }

    Target oneTarget(bool mayBeAttribute) {
        const TokenStream::Level level(m_stream);
        Target t;
        if (m_stream.skipOperator("(")) {
            t = target(mayBeAttribute);
            m_stream.expectOperator(")");
            return t;
        }
        const int line = m_stream.line();
        t.name = m_stream.expectName();
        static constexpr std::string_view kReserved[]{"true", "false", "none",
                                                      "True", "False", "None"};
        if (std::ranges::find(kReserved, t.name) != std::end(kReserved))
            fault(line, "'" + t.name + "' cannot be assigned to");
        if (mayBeAttribute && m_stream.skipOperator(".")) t.attribute = m_stream.expectName();
        return t;
    }

    Target target(bool mayBeAttribute) {
        Target first = oneTarget(mayBeAttribute);
        if (!m_stream.isOperator(",")) return first;
        Target all;
        all.parts.push_back(std::move(first));
        while (m_stream.skipOperator(",")) {
            if (m_stream.isName("in") || m_stream.isOperator("=") || m_stream.isOperator(")"))
                break;
            all.parts.push_back(oneTarget(mayBeAttribute));
        }
        return all;
    }

    Stmt assignment(int line) {
        Target to = target(true);
        if (m_stream.skipOperator("=")) return {line, Set{std::move(to), m_expressions.tuple()}};
        ExprPtr filter = m_expressions.filters(nullptr);
        return {line, SetBlock{std::move(to), std::move(filter), ownBody("endset")}};
    }

    void parameters(Signature& signature) {
        m_stream.expectOperator("(");
        while (!m_stream.isOperator(")")) {
            const int line = m_stream.line();
            std::string name = m_stream.expectName();
            ExprPtr value;
            if (m_stream.skipOperator("="))
                value = m_expressions.expression();
            else if (!signature.parameters.empty() && signature.parameters.back().second)
                fault(line, "a parameter without a default follows one with a default");
            signature.parameters.emplace_back(std::move(name), std::move(value));
            if (!m_stream.skipOperator(",")) break;
        }
        m_stream.expectOperator(")");
    }

    /// A body of its own: no loop around it can be left from inside.
    Body ownBody(std::string_view end) {
        const int loops = std::exchange(m_loops, 0);
        Body all = closedBody(end);
        m_loops = loops;
        return all;
    }

    MacroDefinition macro() {
        MacroDefinition node;
        node.name = m_stream.expectName();
        auto signature = std::make_shared<Signature>();
        parameters(*signature);
        signature->body = ownBody("endmacro");
        node.signature = std::move(signature);
        return node;
    }

    CallBlock callBlock() {
        CallBlock node;
        auto signature = std::make_shared<Signature>();
        if (m_stream.isOperator("(")) parameters(*signature);
        const int line = m_stream.line();
        node.call = m_expressions.expression();
        if (!std::holds_alternative<Call>(node.call->node)) fault(line, "expected a call");
        signature->body = ownBody("endcall");
        node.caller = std::move(signature);
        return node;
    }

    With with() {
        With node;
        while (!m_stream.is(Kind::BlockEnd)) {
            Target to = target(false);
            m_stream.expectOperator("=");
            node.values.emplace_back(std::move(to), m_expressions.expression());
            if (!m_stream.skipOperator(",")) break;
        }
        node.body = closedBody("endwith");
        return node;
    }

    TokenStream m_stream;
    ExpressionParser m_expressions;
    int m_loops = 0;
};

} // namespace

Body parse(std::string_view source) {
    return Parser(source).run();
}

} // namespace fkv::text::jinja
