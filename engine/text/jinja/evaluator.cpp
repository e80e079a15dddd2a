// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/access.h"
#include "engine/text/jinja/evaluator_parts.h"
#include "engine/text/jinja/filters.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/print.h"

#include <algorithm>

// Expressions and calls; statements are in statements.cpp.
namespace fkv::text::jinja {

const Value* Scope::find(const std::string& name) const {
    for (const Scope* s = this; s != nullptr; s = s->around.get())
        if (const auto it = s->values.find(name); it != s->values.end()) return &it->second;
    return nullptr;
}

Evaluator::Evaluator(Runtime& runtime, ScopePtr globals)
    : m_runtime(runtime), m_scope(std::move(globals)) {}

Value Evaluator::value(const Expr& e) {
    const Level level(*this);
    m_runtime.setLine(e.line);
    return std::visit([this](const auto& node) { return valueOf(node); }, e.node);
}

Value Evaluator::valueOf(const Constant& e) {
    return e.value;
}

Value Evaluator::valueOf(const Name& e) {
    if (const Value* found = m_scope->find(e.name)) return *found;
    return Runtime::undefined("'" + e.name + "' is undefined");
}

Value Evaluator::valueOf(const Listing& e) {
    Values items;
    items.reserve(e.items.size());
    for (const ExprPtr& item : e.items)
        items.push_back(value(*item));
    return m_runtime.list(std::move(items), e.tuple ? Sequence::Kind::Tuple : Sequence::Kind::List);
}

Value Evaluator::valueOf(const Mapping& e) {
    Dict dict;
    for (const auto& [keyPart, valuePart] : e.items) {
        const Value key = value(*keyPart);
        if (keyName(key).empty()) m_runtime.refuse(key, "a text or number as a key");
        dict.set(key, value(*valuePart));
    }
    return m_runtime.dict(std::move(dict));
}

Value Evaluator::valueOf(const Attribute& e) {
    const Value of = value(*e.of);
    return attributeOf(m_runtime, of, e.name);
}

Value Evaluator::valueOf(const Item& e) {
    const Value of = value(*e.of);
    const Value key = value(*e.index);
    return itemOf(m_runtime, of, key);
}

Value Evaluator::valueOf(const Slice& e) {
    const Value of = value(*e.of);
    const auto part = [this](const ExprPtr& p) { return p ? value(*p) : Value{}; };
    SliceBounds bounds;
    bounds.from = part(e.from);
    bounds.to = part(e.to);
    bounds.step = part(e.step);
    return sliceOf(m_runtime, of, bounds);
}

CallArguments Evaluator::argumentsOf(const Arguments& arguments) {
    CallArguments given;
    for (const Argument& a : arguments) {
        Value v = value(*a.value);
        if (a.name.empty()) {
            given.positional.push_back(std::move(v));
        } else if (a.name == "*") {
            const SequencePtr items = m_runtime.items(v);
            m_runtime.work(items->items.size() * sizeof(Value));
            given.positional.insert(given.positional.end(), items->items.begin(),
                                    items->items.end());
        } else if (a.name == "**") {
            if (v.dict() == nullptr) m_runtime.refuse(v, "a dict of arguments");
            m_runtime.work(v.dict()->items.size() * 128);
            for (const auto& [key, each] : v.dict()->items) {
                if (key.string() == nullptr) m_runtime.refuse(key, "the name of an argument");
                given.named.emplace_back(*key.string(), each);
            }
        } else {
            given.named.emplace_back(a.name, std::move(v));
        }
    }
    return given;
}

Value Evaluator::valueOf(const Call& e) {
    const int line = m_runtime.line();
    const Value callee = value(*e.callee);
    const CallArguments given = argumentsOf(e.arguments);
    m_runtime.setLine(line);
    return call(callee, given);
}

Value Evaluator::filtered(const Filter& filter, const Value& input) {
    const int line = m_runtime.line();
    const CallArguments given = argumentsOf(filter.arguments);
    m_runtime.setLine(line);
    return applyFilter(m_runtime, filter.name, input, given);
}

Value Evaluator::valueOf(const Filter& e) {
    return filtered(e, value(*e.of));
}

Value Evaluator::valueOf(const Test& e) {
    const Value of = value(*e.of);
    const CallArguments given = argumentsOf(e.arguments);
    return {applyTest(m_runtime, e.name, of, given)};
}

Value Evaluator::valueOf(const Unary& e) {
    const Value of = value(*e.of);
    if (e.op == Operator::Not) return {!truthy(of)};
    return signedValue(m_runtime, e.op, of);
}

Value Evaluator::valueOf(const Binary& e) {
    const Value left = value(*e.left);
    const Value right = value(*e.right);
    return arithmetic(m_runtime, e.op, left, right);
}

Value Evaluator::valueOf(const Concat& e) {
    std::string out;
    for (const ExprPtr& part : e.parts) {
        const std::string text = printed(m_runtime, value(*part));
        m_runtime.work(text.size());
        out += text;
    }
    return m_runtime.text(std::move(out));
}

Value Evaluator::valueOf(const Comparison& e) {
    Value left = value(*e.first);
    for (const auto& [op, part] : e.rest) {
        Value right = value(*part);
        if (!holds(m_runtime, op, left, right)) return {false};
        left = std::move(right);
    }
    return {true};
}

Value Evaluator::valueOf(const Logic& e) {
    Value left = value(*e.left);
    return truthy(left) == e.isAnd ? value(*e.right) : left;
}

Value Evaluator::valueOf(const Conditional& e) {
    if (truthy(value(*e.test))) return value(*e.yes);
    if (e.no) return value(*e.no);
    return Runtime::undefined("the inline if on line " + std::to_string(m_runtime.line()) +
                              " is false and has no else");
}

Value Evaluator::call(const Value& callee, const CallArguments& arguments) {
    if (const auto* m = callee.as<std::shared_ptr<const Method>>())
        return callMethod(m_runtime, **m, arguments);
    if (const Builtin* b = callee.as<Builtin>()) return callBuiltin(*b, arguments);
    if (Object* o = callee.object(Object::Kind::Macro))
        return callMacro(*static_cast<Macro*>(o), arguments);
    m_runtime.refuse(callee, "something to call");
}

Value Evaluator::callBuiltin(Builtin builtin, const CallArguments& arguments) {
    switch (builtin) {
    case Builtin::Range:
        return makeRange(m_runtime, arguments);
    case Builtin::Dict:
        return makeDict(m_runtime, arguments);
    case Builtin::Namespace:
        return makeNamespace(m_runtime, arguments);
    case Builtin::StrftimeNow: {
        const Given given(m_runtime, "strftime_now", arguments, {"format"});
        return m_runtime.text(formatted(m_runtime, given.text(0, "")));
    }
    case Builtin::RaiseException:
        break;
    }
    const Given given(m_runtime, "raise_exception", arguments, {"message"});
    m_runtime.fail("the template refuses this: " + printed(m_runtime, given.value(0)),
                   ErrorCode::BadArgument);
}

void Evaluator::bind(const Macro& macro, const CallArguments& arguments) {
    const auto& parameters = macro.signature->parameters;
    if (arguments.positional.size() > parameters.size())
        m_runtime.fail("macro '" + macro.name + "' takes at most " +
                       std::to_string(parameters.size()) + " argument(s)");
    auto& values = m_scope->values;
    for (std::size_t i = 0; i < arguments.positional.size(); ++i)
        values[parameters[i].first] = arguments.positional[i];
    for (const auto& named : arguments.named) {
        const auto isThis = [&](const auto& p) { return p.first == named.first; };
        const bool known =
            named.first == "caller" || std::any_of(parameters.begin(), parameters.end(), isThis);
        if (!known)
            m_runtime.fail("macro '" + macro.name + "' has no parameter '" + named.first + "'");
        values[named.first] = named.second;
    }
    for (const auto& [name, otherwise] : parameters) {
        if (values.contains(name)) continue;
        // A default may use the parameters before it.
        values[name] = otherwise ? value(*otherwise)
                                 : Runtime::undefined("parameter '" + name + "' was not provided");
    }
}

Value Evaluator::callMacro(const Macro& macro, const CallArguments& arguments) {
    const Level level(*this);
    const Inner inner(*this, macro.around);
    // What the macro's text belongs to must outlive a macro that is redefined while it runs.
    const std::shared_ptr<const Signature> signature = macro.signature;
    bind(macro, arguments);
    std::string out;
    runBody(signature->body, out);
    return m_runtime.text(std::move(out));
}

} // namespace fkv::text::jinja
