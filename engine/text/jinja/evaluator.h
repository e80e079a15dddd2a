// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/arguments.h"
#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/loop.h"

#include <memory>
#include <string>
#include <unordered_map>

namespace fkv::text::jinja {

/// Names and their values; a name that is not here is looked for around it.
struct Scope {
    explicit Scope(std::shared_ptr<Scope> outer)
        : around(std::move(outer)), depth(around ? around->depth + 1 : 0) {}
    const Value* find(const std::string& name) const;

    std::unordered_map<std::string, Value> values;
    std::shared_ptr<Scope> around;
    int depth;
};
using ScopePtr = std::shared_ptr<Scope>;

/// A macro, or the body of a call block, with the names around its definition.
struct Macro final : Object {
    Macro(std::string n, std::shared_ptr<const Signature> s, ScopePtr outer)
        : Object(Kind::Macro),
          name(std::move(n)),
          signature(std::move(s)),
          around(std::move(outer)) {}
    void release() override { around.reset(); }

    std::string name;
    std::shared_ptr<const Signature> signature;
    ScopePtr around;
};

/// Runs a template. One rendering each.
class Evaluator {
public:
    Evaluator(Runtime& runtime, ScopePtr globals);

    /// Appends what `body` prints.
    void run(const Body& body, std::string& out);

private:
    enum class Flow : std::uint8_t { On, Break, Continue };
    /// Counts how deep the evaluation is.
    class Level;
    /// A scope inside of the current one, left at the end.
    class Inner;

    // expressions
    Value value(const Expr& e);
    Value valueOf(const Constant& e);
    Value valueOf(const Name& e);
    Value valueOf(const Listing& e);
    Value valueOf(const Mapping& e);
    Value valueOf(const Attribute& e);
    Value valueOf(const Item& e);
    Value valueOf(const Slice& e);
    Value valueOf(const Call& e);
    Value valueOf(const Filter& e);
    Value valueOf(const Test& e);
    Value valueOf(const Unary& e);
    Value valueOf(const Binary& e);
    Value valueOf(const Concat& e);
    Value valueOf(const Comparison& e);
    Value valueOf(const Logic& e);
    Value valueOf(const Conditional& e);
    CallArguments argumentsOf(const Arguments& arguments);
    Value filtered(const Filter& filter, const Value& input);
    Value throughFilters(const Expr& chain, const Value& input);

    // calls
    Value call(const Value& callee, const CallArguments& arguments);
    Value callBuiltin(Builtin builtin, const CallArguments& arguments);
    Value callMacro(const Macro& macro, const CallArguments& arguments);
    void bind(const Macro& macro, const CallArguments& arguments);

    // statements
    Flow runBody(const Body& body, std::string& out);
    Flow runOne(const Stmt& s, std::string& out);
    Flow exec(const Text& s, std::string& out);
    Flow exec(const Output& s, std::string& out);
    Flow exec(const If& s, std::string& out);
    Flow exec(const For& s, std::string& out);
    Flow exec(const Set& s, std::string& out);
    Flow exec(const SetBlock& s, std::string& out);
    Flow exec(const MacroDefinition& s, std::string& out);
    Flow exec(const CallBlock& s, std::string& out);
    Flow exec(const FilterBlock& s, std::string& out);
    Flow exec(const With& s, std::string& out);
    Flow exec(const Generation& s, std::string& out);
    Flow exec(const Break& s, std::string& out);
    Flow exec(const Continue& s, std::string& out);
    SequencePtr itemsOf(const For& s);
    void assign(const Target& target, const Value& value);
    std::string captured(const Body& body);
    void print(std::string& out, std::string_view text);

    Runtime& m_runtime;
    ScopePtr m_scope;
    int m_depth = 0;
};

} // namespace fkv::text::jinja
