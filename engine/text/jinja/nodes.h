// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/fault.h"

#include <algorithm>

// How the expression parser makes nodes.
namespace fkv::text::jinja {

inline int depthOf(const ExprPtr& e) {
    return e ? e->depth : 0;
}
inline int depthOf(const std::vector<ExprPtr>& all) {
    int depth = 0;
    for (const ExprPtr& e : all)
        depth = std::max(depth, depthOf(e));
    return depth;
}
inline int depthOf(const Arguments& all) {
    int depth = 0;
    for (const Argument& a : all)
        depth = std::max(depth, depthOf(a.value));
    return depth;
}

/// A node over parts as deep as `below`. Chains (a + b + c ...) get deep without nested brackets.
template <typename Node>
ExprPtr make(int line, int below, Node node) {
    if (below >= kMostDepth) fault(line, "the expression is nested too deep");
    auto e = std::make_unique<Expr>();
    e->line = line;
    e->depth = below + 1;
    e->node = std::move(node);
    return e;
}

} // namespace fkv::text::jinja
