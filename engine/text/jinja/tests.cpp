// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/filters.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/print.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fkv::text::jinja {

namespace {

bool isInteger(const Value& v) {
    return v.as<std::int64_t>() != nullptr;
}
bool isSequence(const Value& v) {
    const Sequence* s = v.sequence();
    return v.isUndefined() || v.string() != nullptr || v.dict() != nullptr ||
           (s != nullptr && (s->kind == Sequence::Kind::List || s->kind == Sequence::Kind::Tuple ||
                             s->kind == Sequence::Kind::Range));
}
bool isIterable(const Value& v) {
    return v.isUndefined() || v.string() != nullptr || v.dict() != nullptr ||
           v.sequence() != nullptr || v.object(Object::Kind::Loop) != nullptr;
}
bool isCallable(const Value& v) {
    return v.isUndefined() || v.as<Builtin>() != nullptr ||
           v.as<std::shared_ptr<const Method>>() != nullptr ||
           v.object(Object::Kind::Macro) != nullptr || v.object(Object::Kind::Loop) != nullptr;
}
bool isNumber(const Value& v) {
    double ignored = 0.0;
    return numberOf(v, ignored);
}
bool isBool(const Value& v, bool which) {
    const bool* b = v.as<bool>();
    return b != nullptr && *b == which;
}

/// Tests without an argument.
struct Plain {
    std::string_view name;
    bool (*holds)(const Value&);
};
constexpr std::array kPlain{
    Plain{"defined", [](const Value& v) { return !v.isUndefined(); }},
    Plain{"undefined", [](const Value& v) { return v.isUndefined(); }},
    Plain{"none", [](const Value& v) { return v.isNone(); }},
    Plain{"string", [](const Value& v) { return v.string() != nullptr; }},
    Plain{"mapping", [](const Value& v) { return v.dict() != nullptr; }},
    Plain{"number", isNumber},
    Plain{"integer", isInteger},
    Plain{"float", [](const Value& v) { return v.as<double>() != nullptr; }},
    Plain{"boolean", [](const Value& v) { return v.as<bool>() != nullptr; }},
    Plain{"true", [](const Value& v) { return isBool(v, true); }},
    Plain{"false", [](const Value& v) { return isBool(v, false); }},
    Plain{"sequence", isSequence},
    Plain{"iterable", isIterable},
    Plain{"callable", isCallable},
    Plain{"escaped", [](const Value& v) { return v.as<Str>() != nullptr && v.as<Str>()->markup; }},
};

struct Comparing {
    std::string_view name;
    Operator op;
};
constexpr std::array kComparing{
    Comparing{"equalto", Operator::Equal},   Comparing{"eq", Operator::Equal},
    Comparing{"ne", Operator::NotEqual},     Comparing{"lt", Operator::Less},
    Comparing{"lessthan", Operator::Less},   Comparing{"le", Operator::LessEqual},
    Comparing{"gt", Operator::Greater},      Comparing{"greaterthan", Operator::Greater},
    Comparing{"ge", Operator::GreaterEqual}, Comparing{"in", Operator::In},
    Comparing{"==", Operator::Equal},        Comparing{"!=", Operator::NotEqual},
    Comparing{"<", Operator::Less},          Comparing{"<=", Operator::LessEqual},
    Comparing{">", Operator::Greater},       Comparing{">=", Operator::GreaterEqual},
};

/// The remainder by `divisor`, as Python's % gives it, is `wanted`.
bool remains(Runtime& runtime, const Value& v, const Value& divisor, std::int64_t wanted) {
    return equal(runtime, arithmetic(runtime, Operator::Modulo, v, divisor), {wanted});
}

bool same(Runtime& runtime, const Value& a, const Value& b) {
    if (a.data.index() != b.data.index()) return false;
    if (a.sequence() != nullptr) return a.sequence() == b.sequence();
    if (a.dict() != nullptr) return a.dict() == b.dict();
    return equal(runtime, a, b);
}

} // namespace

bool applyTest(Runtime& runtime, std::string_view name, const Value& input,
               const CallArguments& arguments) {
    for (const Plain& p : kPlain) {
        if (p.name != name) continue;
        const Given none(runtime, name, arguments, {});
        return p.holds(input);
    }
    for (const Comparing& c : kComparing)
        if (c.name == name)
            return holds(runtime, c.op, input, Given(runtime, name, arguments, {"other"}).value(0));
    if (name == "sameas")
        return same(runtime, input, Given(runtime, name, arguments, {"other"}).value(0));
    if (name == "divisibleby")
        return remains(runtime, input, Given(runtime, name, arguments, {"num"}).value(0), 0);
    const Given none(runtime, name, arguments, {});
    if (name == "odd") return remains(runtime, input, {std::int64_t{2}}, 1);
    if (name == "even") return remains(runtime, input, {std::int64_t{2}}, 0);
    if (name == "lower" || name == "upper") {
        const std::string text = printed(runtime, input);
        const std::string low = lower(text), high = upper(text);
        return text == (name == "lower" ? low : high) && low != high;
    }
    runtime.fail("the test '" + std::string(name) + "' is not supported", ErrorCode::Unsupported);
}

} // namespace fkv::text::jinja
