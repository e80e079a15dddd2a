// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/operators.h"

#include "engine/text/jinja/print.h"

#include <cmath>

namespace fkv::text::jinja {

namespace {

bool bothNumbers(const Value& a, const Value& b, double& x, double& y) {
    return numberOf(a, x) && numberOf(b, y);
}

bool sameKind(const Sequence& a, const Sequence& b) {
    return a.kind == b.kind;
}

bool equalDicts(Runtime& runtime, const Dict& a, const Dict& b) {
    if (a.items.size() != b.items.size()) return false;
    for (const auto& [key, value] : a.items) {
        const Value* other = b.find(key);
        if (other == nullptr || !equal(runtime, value, *other)) return false;
    }
    return true;
}

bool equalSequences(Runtime& runtime, const Sequence& a, const Sequence& b) {
    if (!sameKind(a, b) || a.kind == Sequence::Kind::Generator) return &a == &b;
    if (a.items.size() != b.items.size()) return false;
    for (std::size_t i = 0; i < a.items.size(); ++i)
        if (!equal(runtime, a.items[i], b.items[i])) return false;
    return true;
}

std::string_view spelled(Operator op) {
    static constexpr std::string_view kSpelled[] = {"+", "-", "*", "/", "//", "%", "**"};
    return kSpelled[static_cast<std::size_t>(op)];
}

[[noreturn]] void unfit(Runtime& runtime, Operator op, const Value& a, const Value& b) {
    for (const Value* v : {&a, &b})
        if (v->isUndefined()) runtime.refuse(*v, "a value");
    runtime.fail("'" + std::string(spelled(op)) + "' does not go with " + std::string(typeName(a)) +
                 " and " + std::string(typeName(b)));
}

[[noreturn]] void tooLarge(Runtime& runtime) {
    runtime.fail("a number is too large");
}

std::int64_t power(Runtime& runtime, std::int64_t base, std::int64_t exponent) {
    std::int64_t result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) tooLarge(runtime);
        if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) tooLarge(runtime);
    }
    return result;
}

Value integers(Runtime& runtime, Operator op, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    bool over = false;
    switch (op) {
    case Operator::Add:
        over = __builtin_add_overflow(a, b, &out);
        break;
    case Operator::Subtract:
        over = __builtin_sub_overflow(a, b, &out);
        break;
    case Operator::Multiply:
        over = __builtin_mul_overflow(a, b, &out);
        break;
    case Operator::Divide:
        if (b == 0) runtime.fail("division by zero");
        return {static_cast<double>(a) / static_cast<double>(b)};
    case Operator::FloorDivide:
    case Operator::Modulo: {
        if (b == 0) runtime.fail("division by zero");
        if (b == -1) { // the one quotient that may not fit
            over = op == Operator::FloorDivide && __builtin_sub_overflow(std::int64_t{0}, a, &out);
            break;
        }
        const bool down = a % b != 0 && (a % b < 0) != (b < 0);
        out = op == Operator::FloorDivide ? a / b - (down ? 1 : 0) : a % b + (down ? b : 0);
        break;
    }
    default:
        if (b < 0) {
            if (a == 0) runtime.fail("division by zero");
            return {std::pow(static_cast<double>(a), static_cast<double>(b))};
        }
        // What does not grow needs no bound.
        if (a == 0 || a == 1) return {b == 0 ? std::int64_t{1} : a};
        if (a == -1) return {std::int64_t{b % 2 == 0 ? 1 : -1}};
        if (b > 63) tooLarge(runtime);
        return {power(runtime, a, b)};
    }
    if (over) tooLarge(runtime);
    return {out};
}

Value floats(Runtime& runtime, Operator op, double a, double b) {
    switch (op) {
    case Operator::Add:
        return {a + b};
    case Operator::Subtract:
        return {a - b};
    case Operator::Multiply:
        return {a * b};
    default:
        break;
    }
    if (op == Operator::Power) {
        if (a == 0.0 && b < 0.0) runtime.fail("division by zero");
        if (a < 0.0 && std::floor(b) != b) runtime.fail("a negative number has no such power");
        const double out = std::pow(a, b);
        if (std::isinf(out) && !std::isinf(a) && !std::isinf(b)) tooLarge(runtime);
        return {out};
    }
    if (b == 0.0) runtime.fail("division by zero");
    if (op == Operator::Divide) return {a / b};
    // As Python defines them: the remainder has the divisor's sign.
    double remainder = std::fmod(a, b);
    if (remainder != 0.0 && (remainder < 0.0) != (b < 0.0))
        remainder += b;
    else if (remainder == 0.0)
        remainder = std::copysign(0.0, b);
    if (op == Operator::Modulo) return {remainder};
    const double quotient = (a - remainder) / b;
    if (quotient == 0.0) return {std::copysign(0.0, a / b)};
    const double down = std::floor(quotient);
    return {quotient - down > 0.5 ? down + 1.0 : down};
}

Value repeated(Runtime& runtime, const Value& of, std::int64_t times) {
    const std::size_t count = times > 0 ? static_cast<std::size_t>(times) : 0;
    const Sequence* s = of.sequence();
    const std::size_t size = s != nullptr ? s->items.size() : of.string()->size();
    const std::size_t bytes = s != nullptr ? sizeof(Value) : 1;
    // Before it is made: the product may be far beyond any memory.
    if (size > 0 && count > static_cast<std::size_t>(runtime.limits().workBytes) / size / bytes)
        runtime.work(static_cast<std::size_t>(runtime.limits().workBytes) + 1);
    if (s == nullptr) {
        std::string out;
        out.reserve(size * count);
        for (std::size_t i = 0; i < count && size > 0; ++i)
            out += *of.string();
        return runtime.text(std::move(out));
    }
    Values out;
    for (std::size_t i = 0; i < count && size > 0; ++i)
        out.insert(out.end(), s->items.begin(), s->items.end());
    return runtime.list(std::move(out), s->kind);
}

bool repeats(const Value& value) {
    const Sequence* s = value.sequence();
    return value.string() != nullptr ||
           (s != nullptr && (s->kind == Sequence::Kind::List || s->kind == Sequence::Kind::Tuple));
}

Value joined(Runtime& runtime, const Value& a, const Value& b) {
    if (const Str* x = a.as<Str>(), *y = b.as<Str>(); x != nullptr && y != nullptr) {
        const bool markup = x->markup || y->markup;
        const auto part = [&](const Str& s) {
            return markup && !s.markup ? escaped(*s.text) : *s.text;
        };
        return runtime.text(part(*x) + part(*y), markup);
    }
    const Sequence *x = a.sequence(), *y = b.sequence();
    if (x == nullptr || y == nullptr || !sameKind(*x, *y) || !repeats(a)) {
        unfit(runtime, Operator::Add, a, b);
    }
    Values out = x->items;
    out.insert(out.end(), y->items.begin(), y->items.end());
    return runtime.list(std::move(out), x->kind);
}

} // namespace

bool equal(Runtime& runtime, const Value& a, const Value& b) {
    runtime.step();
    double x = 0.0, y = 0.0;
    std::int64_t i = 0, j = 0;
    const std::int64_t *p = integerOf(a, i), *q = integerOf(b, j);
    if (p != nullptr && q != nullptr) return *p == *q;
    if (bothNumbers(a, b, x, y)) return x == y;
    if (a.data.index() != b.data.index()) return false;
    if (a.isUndefined() || a.isNone()) return true;
    if (const std::string* s = a.string(), *t = b.string(); s != nullptr) {
        runtime.work(s->size() == t->size() ? s->size() : 0);
        return *s == *t;
    }
    if (a.sequence() != nullptr) return equalSequences(runtime, *a.sequence(), *b.sequence());
    if (a.dict() != nullptr) return equalDicts(runtime, *a.dict(), *b.dict());
    if (const auto* m = a.as<std::shared_ptr<const Method>>()) {
        const Method &f = **m, &g = **b.as<std::shared_ptr<const Method>>();
        return f.name == g.name && equal(runtime, f.self, g.self);
    }
    if (const auto* o = a.as<std::shared_ptr<Object>>())
        return *o == *b.as<std::shared_ptr<Object>>();
    return *a.as<Builtin>() == *b.as<Builtin>();
}

int compare(Runtime& runtime, const Value& a, const Value& b, bool& unordered) {
    runtime.step();
    double x = 0.0, y = 0.0;
    std::int64_t i = 0, j = 0;
    const std::int64_t *p = integerOf(a, i), *q = integerOf(b, j);
    if (p != nullptr && q != nullptr) return *p < *q ? -1 : *p > *q ? 1 : 0;
    if (bothNumbers(a, b, x, y)) {
        unordered = unordered || std::isnan(x) || std::isnan(y);
        return x < y ? -1 : x > y ? 1 : 0;
    }
    if (const std::string* s = a.string(), *t = b.string(); s != nullptr && t != nullptr) {
        runtime.work(std::min(s->size(), t->size()));
        return s->compare(*t); // the order of UTF-8 bytes is that of code points
    }
    const Sequence *s = a.sequence(), *t = b.sequence();
    if (s != nullptr && t != nullptr && sameKind(*s, *t) && repeats(a)) {
        for (std::size_t k = 0; k < std::min(s->items.size(), t->items.size()); ++k)
            if (!equal(runtime, s->items[k], t->items[k]))
                return compare(runtime, s->items[k], t->items[k], unordered);
        return s->items.size() < t->items.size() ? -1 : s->items.size() > t->items.size() ? 1 : 0;
    }
    for (const Value* v : {&a, &b})
        if (v->isUndefined()) runtime.refuse(*v, "a value with an order");
    runtime.fail(std::string(typeName(a)) + " and " + std::string(typeName(b)) + " have no order");
}

bool less(Runtime& runtime, const Value& a, const Value& b) {
    bool unordered = false;
    return compare(runtime, a, b, unordered) < 0 && !unordered;
}

void refuseUnhashable(Runtime& runtime, const Value& key) {
    const Sequence* s = key.sequence();
    if (key.dict() != nullptr || (s != nullptr && s->kind == Sequence::Kind::List))
        runtime.refuse(key, "a text or number as a key");
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
    if (const std::string* s = container.string()) {
        if (item.string() == nullptr) runtime.refuse(item, "a text to look for");
        runtime.work(s->size());
        return s->find(*item.string()) != std::string::npos;
    }
    if (const Dict* d = container.dict()) {
        refuseUnhashable(runtime, item);
        return d->find(item) != nullptr;
    }
    const SequencePtr all = runtime.items(container);
    for (const Value& each : all->items)
        if (equal(runtime, each, item)) return true;
    return false;
}

bool holds(Runtime& runtime, Operator op, const Value& a, const Value& b) {
    switch (op) {
    case Operator::Equal:
        return equal(runtime, a, b);
    case Operator::NotEqual:
        return !equal(runtime, a, b);
    case Operator::In:
        return contains(runtime, b, a);
    case Operator::NotIn:
        return !contains(runtime, b, a);
    default:
        break;
    }
    bool unordered = false;
    const int order = compare(runtime, a, b, unordered);
    if (unordered) return false;
    switch (op) {
    case Operator::Less:
        return order < 0;
    case Operator::LessEqual:
        return order <= 0;
    case Operator::Greater:
        return order > 0;
    default:
        return order >= 0;
    }
}

Value arithmetic(Runtime& runtime, Operator op, const Value& a, const Value& b) {
    double x = 0.0, y = 0.0;
    std::int64_t i = 0, j = 0;
    const std::int64_t *p = integerOf(a, i), *q = integerOf(b, j);
    if (p != nullptr && q != nullptr) return integers(runtime, op, *p, *q);
    if (bothNumbers(a, b, x, y)) return floats(runtime, op, x, y);
    if (op == Operator::Add) return joined(runtime, a, b);
    if (op == Operator::Multiply && repeats(a) && q != nullptr) return repeated(runtime, a, *q);
    if (op == Operator::Multiply && repeats(b) && p != nullptr) return repeated(runtime, b, *p);
    if (op == Operator::Modulo && a.string() != nullptr)
        runtime.fail("'%' after a text is not supported", ErrorCode::Unsupported);
    unfit(runtime, op, a, b);
}

Value signedValue(Runtime& runtime, Operator op, const Value& of) {
    std::int64_t storage = 0;
    if (const std::int64_t* i = integerOf(of, storage))
        return op == Operator::Plus ? Value{*i} : integers(runtime, Operator::Subtract, 0, *i);
    if (const double* d = of.as<double>()) return {op == Operator::Plus ? *d : -*d};
    runtime.refuse(of, "a number");
}

} // namespace fkv::text::jinja
