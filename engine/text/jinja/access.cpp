// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/access.h"

#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/loop.h"
#include "engine/text/jinja/print.h"

#include <algorithm>
#include <span>

namespace fkv::text::jinja {

namespace {

using Names = std::span<const std::string_view>;

// Every public method that Python has, so that "is defined" says what it says there; calling one
// that is not covered is an error of its own.
constexpr std::string_view kStringMethods[]{
    "capitalize",   "casefold",    "center",    "count",      "encode",       "endswith",
    "expandtabs",   "find",        "format",    "format_map", "index",        "isalnum",
    "isalpha",      "isascii",     "isdecimal", "isdigit",    "isidentifier", "islower",
    "isnumeric",    "isprintable", "isspace",   "istitle",    "isupper",      "join",
    "ljust",        "lower",       "lstrip",    "maketrans",  "partition",    "removeprefix",
    "removesuffix", "replace",     "rfind",     "rindex",     "rjust",        "rpartition",
    "rsplit",       "rstrip",      "split",     "splitlines", "startswith",   "strip",
    "swapcase",     "title",       "translate", "upper",      "zfill"};
constexpr std::string_view kDictMethods[]{"copy", "fromkeys", "get", "items", "keys", "values"};
constexpr std::string_view kListMethods[]{"copy", "count", "index"};
constexpr std::string_view kTupleMethods[]{"count", "index"};
constexpr std::string_view kLoopMethods[]{"changed", "cycle"};
// What would change a value that others see.
constexpr std::string_view kDictUnsafe[]{"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kListUnsafe[]{"append", "clear",  "extend",  "insert",
                                         "pop",    "remove", "reverse", "sort"};

bool among(Names names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool isList(const Value& v) {
    return v.sequence() != nullptr && v.sequence()->kind == Sequence::Kind::List;
}
bool isIndexed(const Sequence& s) {
    return s.kind == Sequence::Kind::List || s.kind == Sequence::Kind::Tuple ||
           s.kind == Sequence::Kind::Range;
}

/// A method of the value's type, or an undefined value without a reason.
Value methodOf(Runtime& runtime, const Value& value, std::string_view name) {
    Names safe{}, unsafe{};
    if (value.string() != nullptr)
        safe = kStringMethods;
    else if (value.dict() != nullptr)
        safe = kDictMethods, unsafe = kDictUnsafe;
    else if (isList(value))
        safe = kListMethods, unsafe = kListUnsafe;
    else if (value.sequence() != nullptr && isIndexed(*value.sequence()))
        safe = kTupleMethods;
    else if (value.object(Object::Kind::Loop) != nullptr)
        safe = kLoopMethods;
    if (among(safe, name)) return runtime.method(value, name);
    if (among(unsafe, name))
        return Runtime::undefined("'" + std::string(name) + "' would change a " +
                                  std::string(typeName(value)) + ", which templates may not");
    return {Undefined{}};
}

bool isFound(const Value& value) {
    return !value.isUndefined() || value.as<Undefined>()->why != nullptr;
}

Value missingAttribute(const Value& value, std::string_view name) {
    return Runtime::undefined("'" + std::string(typeName(value)) + " object' has no attribute '" +
                              std::string(name) + "'");
}

void refuseUndefined(Runtime& runtime, const Value& value) {
    if (value.isUndefined()) runtime.refuse(value, "a value");
}

/// Python's rules for the bounds of a slice over `size` items.
struct Span {
    std::int64_t from, to, step;
};
Span spanOf(Runtime& runtime, const SliceBounds& b, std::int64_t size) {
    const auto bound = [&](const Value& v, std::int64_t otherwise) {
        if (v.isNone()) return otherwise;
        std::int64_t storage = 0;
        const std::int64_t* i = integerOf(v, storage);
        if (i == nullptr) runtime.refuse(v, "a whole number for a slice");
        return *i;
    };
    const std::int64_t step = bound(b.step, 1);
    if (step == 0) runtime.fail("the step of a slice is 0");
    const std::int64_t low = step > 0 ? 0 : -1;
    const std::int64_t high = step > 0 ? size : size - 1;
    const auto clip = [&](std::int64_t i) {
        if (i < 0) i = i < -size ? low : i + size;
        return std::clamp(i, low, high);
    };
    const std::int64_t from = b.from.isNone() ? (step > 0 ? low : high) : clip(bound(b.from, 0));
    const std::int64_t to = b.to.isNone() ? (step > 0 ? high : low) : clip(bound(b.to, 0));
    return {from, to, step};
}

template <typename Each>
void eachIndex(const Span& s, Each each) {
    // The remaining way bounds the last step, so that a huge one does not overflow.
    for (std::int64_t i = s.from; s.step > 0 ? i < s.to : i > s.to;) {
        each(static_cast<std::size_t>(i));
        if (s.step > 0 ? s.step >= s.to - i : s.step <= s.to - i) break;
        i += s.step;
    }
}

Value sliceOfText(Runtime& runtime, const std::string& text, const SliceBounds& bounds) {
    runtime.work(text.size());
    const auto size = static_cast<std::int64_t>(codePoints(text));
    const Span span = spanOf(runtime, bounds, size);
    if (span.step == 1) {
        if (span.from >= span.to) return runtime.text({});
        const std::size_t from = byteOf(text, static_cast<std::size_t>(span.from));
        const std::size_t length = byteOf(std::string_view(text).substr(from),
                                          static_cast<std::size_t>(span.to - span.from));
        return runtime.text(text.substr(from, length));
    }
    const SequencePtr all = runtime.items({Str{std::make_shared<const std::string>(text), false}});
    std::string out;
    eachIndex(span, [&](std::size_t i) { out += *all->items[i].string(); });
    return runtime.text(std::move(out));
}

} // namespace

Value attributeOf(Runtime& runtime, const Value& value, std::string_view name) {
    refuseUndefined(runtime, value);
    if (Object* o = value.object(Object::Kind::Namespace)) {
        const auto& values = static_cast<Namespace*>(o)->values;
        const auto it = values.find(name);
        return it != values.end() ? it->second : missingAttribute(value, name);
    }
    if (Value method = methodOf(runtime, value, name); isFound(method)) return method;
    if (Object* o = value.object(Object::Kind::Loop))
        return static_cast<Loop*>(o)->attribute(runtime, name);
    if (const Dict* d = value.dict())
        if (const Value* found = d->find(name)) return *found;
    return missingAttribute(value, name);
}

Value itemOf(Runtime& runtime, const Value& value, const Value& key) {
    refuseUndefined(runtime, value);
    const std::string* name = key.string();
    std::int64_t storage = 0;
    if (const Dict* d = value.dict()) {
        if (const Value* found = d->find(key)) return *found;
    } else if (const std::int64_t* index = integerOf(key, storage)) {
        const Sequence* s = value.sequence();
        const std::string* text = value.string();
        const bool indexed = text != nullptr || (s != nullptr && isIndexed(*s));
        const std::int64_t size = indexed ? runtime.length(value) : 0;
        const std::int64_t i = *index < 0 ? *index + size : *index;
        if (i >= 0 && i < size) {
            if (s != nullptr) return s->items[static_cast<std::size_t>(i)];
            const std::size_t at = byteOf(*text, static_cast<std::size_t>(i));
            return runtime.text(text->substr(at, codePointAt(*text, at).bytes));
        }
    }
    if (name == nullptr)
        return Runtime::undefined("'" + std::string(typeName(value)) + " object' has no element " +
                                  representation(runtime, key).substr(0, 40));
    if (Value method = methodOf(runtime, value, *name); isFound(method)) return method;
    if (Object* o = value.object(Object::Kind::Loop))
        return static_cast<Loop*>(o)->attribute(runtime, *name);
    if (value.object(Object::Kind::Namespace) != nullptr) return attributeOf(runtime, value, *name);
    return missingAttribute(value, *name);
}

Value sliceOf(Runtime& runtime, const Value& value, const SliceBounds& bounds) {
    refuseUndefined(runtime, value);
    if (const std::string* text = value.string()) return sliceOfText(runtime, *text, bounds);
    const Sequence* s = value.sequence();
    if (s == nullptr || !isIndexed(*s)) runtime.refuse(value, "a text or list to slice");
    const Span span = spanOf(runtime, bounds, static_cast<std::int64_t>(s->items.size()));
    Values out;
    eachIndex(span, [&](std::size_t i) { out.push_back(s->items[i]); });
    return runtime.list(std::move(out), s->kind);
}

} // namespace fkv::text::jinja
