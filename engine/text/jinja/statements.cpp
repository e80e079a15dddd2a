// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/evaluator_parts.h"
#include "engine/text/jinja/print.h"

namespace fkv::text::jinja {

void Evaluator::run(const Body& body, std::string& out) {
    runBody(body, out);
}

Evaluator::Flow Evaluator::runBody(const Body& body, std::string& out) {
    for (const Stmt& s : body)
        if (const Flow flow = runOne(s, out); flow != Flow::On) return flow;
    return Flow::On;
}

Evaluator::Flow Evaluator::runOne(const Stmt& s, std::string& out) {
    const Level level(*this);
    m_runtime.setLine(s.line);
    return std::visit([&](const auto& node) { return exec(node, out); }, s.node);
}

void Evaluator::print(std::string& out, std::string_view text) {
    m_runtime.work(text.size());
    if (out.size() + text.size() > m_runtime.limits().outputBytes)
        m_runtime.fail("the template prints more than " +
                       std::to_string(m_runtime.limits().outputBytes >> 20U) + " MiB");
    out += text;
}

std::string Evaluator::captured(const Body& body) {
    const Inner inner(*this);
    std::string out;
    runBody(body, out);
    return out;
}

Evaluator::Flow Evaluator::exec(const Text& s, std::string& out) {
    print(out, s.text);
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const Output& s, std::string& out) {
    const Value v = value(*s.value);
    if (const std::string* text = v.string())
        print(out, *text);
    else
        print(out, printed(m_runtime, v));
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const If& s, std::string& out) {
    for (const auto& [condition, body] : s.branches)
        if (truthy(value(*condition))) return runBody(body, out);
    return runBody(s.otherwise, out);
}

SequencePtr Evaluator::itemsOf(const For& s) {
    const Value all = value(*s.items);
    SequencePtr items = m_runtime.items(all);
    if (!s.test) return items;
    Values chosen;
    for (const Value& item : items->items) {
        const Inner inner(*this);
        assign(s.target, item);
        if (truthy(value(*s.test))) chosen.push_back(item);
    }
    const Value list = m_runtime.list(std::move(chosen));
    return *list.as<SequencePtr>();
}

Evaluator::Flow Evaluator::exec(const For& s, std::string& out) {
    if (s.recursive) m_runtime.fail("recursive loops are not supported", ErrorCode::Unsupported);
    const SequencePtr items = itemsOf(s);
    if (items->items.empty()) {
        const Inner inner(*this);
        return runBody(s.otherwise, out);
    }
    const auto loop = m_runtime.object<Loop>(items);
    for (const Value& item : items->items) {
        const Inner inner(*this);
        m_runtime.work(64);
        m_scope->values["loop"] = {std::shared_ptr<Object>(loop)};
        assign(s.target, item);
        if (runBody(s.body, out) == Flow::Break) break;
        ++loop->index0;
    }
    return Flow::On;
}

void Evaluator::assign(const Target& target, const Value& v) {
    m_runtime.step();
    if (!target.parts.empty()) {
        const SequencePtr items = m_runtime.items(v);
        if (items->items.size() != target.parts.size())
            m_runtime.fail("cannot take " + std::to_string(items->items.size()) +
                           " item(s) apart into " + std::to_string(target.parts.size()) + " names");
        for (std::size_t i = 0; i < target.parts.size(); ++i)
            assign(target.parts[i], items->items[i]);
        return;
    }
    if (target.attribute.empty()) {
        m_scope->values[target.name] = v;
        return;
    }
    const Value* space = m_scope->find(target.name);
    Object* object = space != nullptr ? space->object(Object::Kind::Namespace) : nullptr;
    if (object == nullptr)
        m_runtime.fail("'" + target.name + "' is not a namespace, so '" + target.name + "." +
                       target.attribute + "' cannot be set");
    if (target.attribute.front() == '_')
        m_runtime.fail("a namespace takes no name that begins with '_'");
    m_runtime.work(96);
    static_cast<Namespace*>(object)->values[target.attribute] = v;
}

Evaluator::Flow Evaluator::exec(const Set& s, std::string&) {
    const Value v = value(*s.value);
    assign(s.target, v);
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const SetBlock& s, std::string&) {
    Value v = m_runtime.text(captured(s.body));
    if (s.filter) v = throughFilters(*s.filter, v);
    assign(s.target, v);
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const MacroDefinition& s, std::string&) {
    m_scope->values[s.name] = {
        std::shared_ptr<Object>(m_runtime.object<Macro>(s.name, s.signature, m_scope))};
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const CallBlock& s, std::string& out) {
    const auto& called = std::get<Call>(s.call->node);
    const Value callee = value(*called.callee);
    CallArguments given = argumentsOf(called.arguments);
    given.named.emplace_back("caller", Value{std::shared_ptr<Object>(
                                           m_runtime.object<Macro>("caller", s.caller, m_scope))});
    print(out, printed(m_runtime, call(callee, given)));
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const FilterBlock& s, std::string& out) {
    const Value v = throughFilters(*s.filter, m_runtime.text(captured(s.body)));
    print(out, printed(m_runtime, v));
    return Flow::On;
}

Value Evaluator::throughFilters(const Expr& chain, const Value& input) {
    const Level level(*this);
    const auto& filter = std::get<Filter>(chain.node);
    return filtered(filter, filter.of ? throughFilters(*filter.of, input) : input);
}

Evaluator::Flow Evaluator::exec(const With& s, std::string& out) {
    Values values; // all of them see the names outside
    for (const auto& [target, part] : s.values)
        values.push_back(value(*part));
    const Inner inner(*this);
    for (std::size_t i = 0; i < values.size(); ++i)
        assign(s.values[i].first, values[i]);
    return runBody(s.body, out);
}

Evaluator::Flow Evaluator::exec(const Generation& s, std::string& out) {
    print(out, captured(s.body));
    return Flow::On;
}

Evaluator::Flow Evaluator::exec(const Break&, std::string&) {
    return Flow::Break;
}

Evaluator::Flow Evaluator::exec(const Continue&, std::string&) {
    return Flow::Continue;
}

} // namespace fkv::text::jinja
