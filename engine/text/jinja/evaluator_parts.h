// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/evaluator.h"

namespace fkv::text::jinja {

class Evaluator::Level {
public:
    explicit Level(Evaluator& evaluator) : m_evaluator(evaluator) {
        if (++m_evaluator.m_depth > m_evaluator.m_runtime.limits().depth) {
            --m_evaluator.m_depth;
            m_evaluator.m_runtime.fail("the template calls or nests too deep");
        }
        m_evaluator.m_runtime.step();
    }
    ~Level() { --m_evaluator.m_depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

private:
    Evaluator& m_evaluator;
};

class Evaluator::Inner {
public:
    /// In the current scope, or around what a macro saw where it was defined.
    explicit Inner(Evaluator& evaluator) : Inner(evaluator, evaluator.m_scope) {}
    Inner(Evaluator& evaluator, ScopePtr around)
        : m_evaluator(evaluator), m_before(evaluator.m_scope) {
        auto scope = std::make_shared<Scope>(std::move(around));
        // Macros that macros define would otherwise chain scopes without end.
        if (scope->depth > evaluator.m_runtime.limits().depth)
            evaluator.m_runtime.fail("the template calls or nests too deep");
        evaluator.m_scope = std::move(scope);
    }
    ~Inner() { m_evaluator.m_scope = std::move(m_before); }
    Inner(const Inner&) = delete;
    Inner& operator=(const Inner&) = delete;

private:
    Evaluator& m_evaluator;
    ScopePtr m_before;
};

} // namespace fkv::text::jinja
