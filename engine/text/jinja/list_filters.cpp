// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/access.h"
#include "engine/text/jinja/characters.h"
#include "engine/text/jinja/filter_tables.h"
#include "engine/text/jinja/operators.h"
#include "engine/text/jinja/print.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fkv::text::jinja {

namespace {

using Kind = Sequence::Kind;

bool isWhole(std::string_view part) {
    return !part.empty() &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "a.b.0" of an item, each part as item or attribute; a number alone is an index. `otherwise`,
/// when there is one, stands for any part that is missing.
Value attributePath(Runtime& runtime, const Value& item, const Value& path,
                    const Value* otherwise = nullptr) {
    const auto part = [&](const Value& of, const Value& key) {
        Value found = itemOf(runtime, of, key);
        return found.isUndefined() && otherwise != nullptr ? *otherwise : found;
    };
    if (path.string() == nullptr) return part(item, path);
    Value at = item;
    std::string_view rest = *path.string();
    while (true) {
        const std::size_t dot = rest.find('.');
        const std::string_view name = rest.substr(0, dot);
        std::int64_t index = 0;
        const bool isIndex =
            isWhole(name) &&
            std::from_chars(name.data(), name.data() + name.size(), index).ec == std::errc();
        at = part(at, isIndex ? Value{index} : runtime.text(std::string(name)));
        if (dot == std::string_view::npos) return at;
        rest = rest.substr(dot + 1);
    }
}

/// Text compares without its case unless that is asked for.
Value folded(Runtime& runtime, const Value& v, bool caseSensitive) {
    if (caseSensitive || v.string() == nullptr) return v;
    return runtime.text(lower(*v.string()));
}

Value toList(const FilterCall& f) {
    const Given none = f.given({});
    return f.runtime.list(f.runtime.items(f.input)->items);
}

Value length(const FilterCall& f) {
    const Given none = f.given({});
    return {f.runtime.length(f.input)};
}

Value first(const FilterCall& f) {
    const Given none = f.given({});
    const SequencePtr items = f.runtime.items(f.input);
    return items->items.empty() ? Runtime::undefined("there is no first item")
                                : items->items.front();
}

Value last(const FilterCall& f) {
    const Given none = f.given({});
    if (f.input.sequence() != nullptr && f.input.sequence()->kind == Kind::Generator)
        f.runtime.refuse(f.input, "a list, which |list makes,");
    const SequencePtr items = f.runtime.items(f.input);
    return items->items.empty() ? Runtime::undefined("there is no last item") : items->items.back();
}

Value join(const FilterCall& f) {
    const Given g = f.given({"d", "attribute"});
    const std::string between = g.has(0) ? printed(f.runtime, g.value(0)) : std::string();
    const SequencePtr items = f.runtime.items(f.input);
    std::string out;
    for (std::size_t i = 0; i < items->items.size(); ++i) {
        const Value& item = items->items[i];
        const bool part = g.has(1) && !g.value(1).isNone();
        if (i > 0) out += between;
        const std::string text =
            printed(f.runtime, part ? attributePath(f.runtime, item, g.value(1)) : item);
        f.runtime.work(text.size() + between.size());
        out += text;
    }
    return f.runtime.text(std::move(out));
}

Value items(const FilterCall& f) {
    const Given none = f.given({});
    Values out;
    if (const Dict* d = f.input.dict()) {
        for (const auto& [key, value] : d->items)
            out.push_back(f.runtime.list({key, value}, Kind::Tuple));
    } else if (!f.input.isUndefined()) {
        f.runtime.refuse(f.input, "a dict");
    }
    return f.runtime.list(std::move(out), Kind::Generator);
}

Value reverse(const FilterCall& f) {
    const Given none = f.given({});
    const SequencePtr all = f.runtime.items(f.input);
    Values out(all->items.rbegin(), all->items.rend());
    if (f.input.string() == nullptr) return f.runtime.list(std::move(out), Kind::Generator);
    std::string text;
    for (const Value& c : out)
        text += *c.string();
    return f.runtime.text(std::move(text));
}

/// Sorted by keys that are made once; equal keys keep their order.
Values sorted(Runtime& runtime, const Values& items, const Values& keys, bool reverse) {
    std::vector<std::size_t> order(items.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    // Comparing may throw, and then leaves nothing behind.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return reverse ? less(runtime, keys[b], keys[a]) : less(runtime, keys[a], keys[b]);
    });
    Values out;
    out.reserve(items.size());
    for (const std::size_t i : order)
        out.push_back(items[i]);
    return out;
}

Value sort(const FilterCall& f) {
    const Given g = f.given({"reverse", "case_sensitive", "attribute"});
    const SequencePtr all = f.runtime.items(f.input);
    Values keys;
    for (const Value& item : all->items) {
        const bool part = g.has(2) && !g.value(2).isNone();
        keys.push_back(folded(f.runtime, part ? attributePath(f.runtime, item, g.value(2)) : item,
                              g.flag(1, false)));
    }
    return f.runtime.list(sorted(f.runtime, all->items, keys, g.flag(0, false)));
}

Value dictSort(const FilterCall& f) {
    const Given g = f.given({"case_sensitive", "by", "reverse"});
    const std::string by = g.text(1, "key");
    if (by != "key" && by != "value") f.runtime.fail("dictsort sorts by 'key' or 'value'");
    if (f.input.dict() == nullptr) f.runtime.refuse(f.input, "a dict");
    Values pairs, keys;
    for (const auto& [key, value] : f.input.dict()->items) {
        pairs.push_back(f.runtime.list({key, value}, Kind::Tuple));
        keys.push_back(folded(f.runtime, by == "key" ? key : value, g.flag(0, false)));
    }
    return f.runtime.list(sorted(f.runtime, pairs, keys, g.flag(2, false)));
}

Value unique(const FilterCall& f) {
    const Given g = f.given({"case_sensitive", "attribute"});
    const SequencePtr all = f.runtime.items(f.input);
    Values out;
    Dict seen;
    for (const Value& item : all->items) {
        const bool part = g.has(1) && !g.value(1).isNone();
        const Value key = folded(
            f.runtime, part ? attributePath(f.runtime, item, g.value(1)) : item, g.flag(0, false));
        f.runtime.step();
        if (keyName(key).empty()) f.runtime.refuse(key, "a text or number");
        if (seen.find(key) != nullptr) continue;
        seen.set(key, {});
        f.runtime.work(128);
        out.push_back(item);
    }
    return f.runtime.list(std::move(out), Kind::Generator);
}

Value extreme(const FilterCall& f, bool largest) {
    const Given g = f.given({"case_sensitive", "attribute"});
    const SequencePtr all = f.runtime.items(f.input);
    if (all->items.empty()) return Runtime::undefined("there is no item to choose");
    const auto keyOf = [&](const Value& item) {
        const bool part = g.has(1) && !g.value(1).isNone();
        return folded(f.runtime, part ? attributePath(f.runtime, item, g.value(1)) : item,
                      g.flag(0, false));
    };
    std::size_t best = 0;
    Value bestKey = keyOf(all->items[0]);
    for (std::size_t i = 1; i < all->items.size(); ++i) {
        const Value key = keyOf(all->items[i]);
        if (!(largest ? less(f.runtime, bestKey, key) : less(f.runtime, key, bestKey))) continue;
        best = i;
        bestKey = key;
    }
    return all->items[best];
}

Value sum(const FilterCall& f) {
    const Given g = f.given({"attribute", "start"});
    Value total = g.has(1) ? g.value(1) : Value{std::int64_t{0}};
    const SequencePtr every = f.runtime.items(f.input); // a temporary would end before the loop
    for (const Value& item : every->items) {
        const bool part = g.has(0) && !g.value(0).isNone();
        total = arithmetic(f.runtime, Operator::Add, total,
                           part ? attributePath(f.runtime, item, g.value(0)) : item);
    }
    return total;
}

/// The arguments after the first `skip`.
CallArguments rest(const CallArguments& all, std::size_t skip) {
    CallArguments out = all;
    out.positional.erase(out.positional.begin(),
                         out.positional.begin() + static_cast<std::ptrdiff_t>(skip));
    return out;
}

Value map(const FilterCall& f) {
    const Values& positional = f.arguments.positional;
    Values out;
    // Whatever is false, none too, counts as no items.
    if (!truthy(f.input)) return f.runtime.list({}, Kind::Generator);
    const SequencePtr all = f.runtime.items(f.input);
    if (positional.empty()) {
        const Given g = f.given({"attribute", "default"});
        for (const Value& item : all->items) {
            const Value* otherwise = g.has(1) && !g.value(1).isNone() ? g.find(1) : nullptr;
            out.push_back(attributePath(f.runtime, item, g.value(0), otherwise));
        }
    } else {
        if (positional[0].string() == nullptr)
            f.runtime.refuse(positional[0], "the name of a filter");
        const CallArguments others = rest(f.arguments, 1);
        for (const Value& item : all->items)
            out.push_back(applyFilter(f.runtime, *positional[0].string(), item, others));
    }
    return f.runtime.list(std::move(out), Kind::Generator);
}

/// select, reject, selectattr, rejectattr: items for which a test of them, or of their attribute,
/// holds or does not; without a test, whether it is true.
Value chosen(const FilterCall& f, bool byAttribute, bool wanted) {
    const Values& positional = f.arguments.positional;
    if (!truthy(f.input)) return f.runtime.list({}, Kind::Generator); // none too
    const std::size_t test = byAttribute ? 1 : 0;
    if (positional.size() < test)
        f.runtime.fail("'" + std::string(f.name) + "' needs an attribute");
    const std::string* name = nullptr;
    if (positional.size() > test) {
        name = positional[test].string();
        if (name == nullptr) f.runtime.refuse(positional[test], "the name of a test");
    }
    const CallArguments others = rest(f.arguments, std::min(positional.size(), test + 1));
    Values out;
    const SequencePtr every = f.runtime.items(f.input); // a temporary would end before the loop
    for (const Value& item : every->items) {
        const Value subject = byAttribute ? attributePath(f.runtime, item, positional[0]) : item;
        f.runtime.step();
        const bool holds =
            name != nullptr ? applyTest(f.runtime, *name, subject, others) : truthy(subject);
        if (holds == wanted) out.push_back(item);
    }
    return f.runtime.list(std::move(out), Kind::Generator);
}

constexpr std::array<FilterEntry, 19> kFilters{{
    {"count", length},
    {"dictsort", dictSort},
    {"first", first},
    {"items", items},
    {"join", join},
    {"last", last},
    {"length", length},
    {"list", toList},
    {"map", map},
    {"max", [](const FilterCall& f) { return extreme(f, true); }},
    {"min", [](const FilterCall& f) { return extreme(f, false); }},
    {"reject", [](const FilterCall& f) { return chosen(f, false, false); }},
    {"rejectattr", [](const FilterCall& f) { return chosen(f, true, false); }},
    {"reverse", reverse},
    {"select", [](const FilterCall& f) { return chosen(f, false, true); }},
    {"selectattr", [](const FilterCall& f) { return chosen(f, true, true); }},
    {"sort", sort},
    {"sum", sum},
    {"unique", unique},
}};

} // namespace

std::span<const FilterEntry> listFilters() {
    return kFilters;
}

Value applyFilter(Runtime& runtime, std::string_view name, const Value& input,
                  const CallArguments& arguments) {
    runtime.step();
    for (const auto table : {valueFilters(), listFilters()})
        for (const FilterEntry& entry : table)
            if (entry.name == name) return entry.apply({runtime, name, input, arguments});
    runtime.fail("the filter '" + std::string(name) + "' is not supported", ErrorCode::Unsupported);
}

} // namespace fkv::text::jinja
