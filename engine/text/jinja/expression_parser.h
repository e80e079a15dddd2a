// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/token_stream.h"

namespace fkv::text::jinja {

/// Reads expressions with Jinja's precedences: inline if, or, and, not, comparisons, + -, ~, * / //
/// %, **, unary, then attributes, items, calls, filters and tests.
class ExpressionParser {
public:
    explicit ExpressionParser(TokenStream& stream) : m_stream(stream) {}

    ExprPtr expression(bool withConditional = true);
    /// Expressions with commas between them make a tuple.
    ExprPtr tuple(bool withConditional = true, bool mayBeEmpty = false);
    /// Expressions with commas between them, printed one after the other.
    ExprPtr joined();
    /// "| name(...) | name", applied to `of`, which may be null.
    ExprPtr filters(ExprPtr of, bool pipeIsPast = false);

private:
    ExprPtr disjunction();
    ExprPtr conjunction();
    ExprPtr chain(std::string_view word, ExprPtr (ExpressionParser::*part)());
    ExprPtr negation();
    ExprPtr comparison();
    ExprPtr sum();
    ExprPtr concatenation();
    ExprPtr product();
    ExprPtr power();
    ExprPtr unary(bool withFilters = true);
    ExprPtr primary();
    ExprPtr list();
    ExprPtr dict();
    ExprPtr postfix(ExprPtr of);
    ExprPtr filtersAndTests(ExprPtr of);
    ExprPtr subscript(ExprPtr of);
    ExprPtr test(ExprPtr of);
    Arguments arguments();
    bool atTupleEnd(bool inLoopHead) const;

    TokenStream& m_stream;
};

} // namespace fkv::text::jinja
