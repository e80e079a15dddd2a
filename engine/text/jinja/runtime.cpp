// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/runtime.h"

#include "engine/text/jinja/characters.h"

#include <ctime>

namespace fkv::text::jinja {

namespace {

/// Containers in containers; more would make their destruction deep.
constexpr int kMostContainers = 60;

} // namespace

Moment Moment::now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    localtime_r(&now, &parts);
    return {parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
            parts.tm_hour,        parts.tm_min,     parts.tm_sec};
}

Runtime::~Runtime() {
    // The newest first: a macro that a macro made holds on to the older one.
    while (!m_objects.empty()) {
        m_objects.back()->release();
        m_objects.pop_back();
    }
}

// Both compare before they add: what is asked for may be any number.
void Runtime::step(std::size_t count) {
    if (count > static_cast<std::size_t>(m_limits.steps - m_steps))
        fail("the template takes more than " + std::to_string(m_limits.steps) + " steps");
    m_steps += static_cast<std::int64_t>(count);
}

void Runtime::work(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(m_limits.workBytes - m_work))
        fail("the template makes more than " + std::to_string(m_limits.workBytes >> 20) +
             " MiB of text and lists");
    m_work += static_cast<std::int64_t>(bytes);
}

void Runtime::refuse(const Value& value, const std::string& wanted) const {
    if (const Undefined* u = value.as<Undefined>(); u != nullptr && u->why) fail(*u->why);
    fail(std::string(typeName(value)) + " where " + wanted + " is needed");
}

void Runtime::checkDepth(int depth) const {
    if (depth > kMostContainers) fail("lists or dicts are nested too deep");
}

Value Runtime::text(std::string text, bool markup) {
    work(text.size() + 64);
    return {Str{std::make_shared<const std::string>(std::move(text)), markup}};
}

Value Runtime::list(Values items, Sequence::Kind kind) {
    work(items.size() * sizeof(Value) + 64);
    auto made = std::make_shared<Sequence>();
    made->kind = kind;
    for (const Value& item : items)
        made->depth = std::max(made->depth, 1 + depthOf(item));
    checkDepth(made->depth);
    made->items = std::move(items);
    return {SequencePtr(std::move(made))};
}

Value Runtime::dict(Dict dict) {
    work(dict.items.size() * 160 + 64);
    checkDepth(dict.depth);
    return {std::shared_ptr<const Dict>(std::make_shared<Dict>(std::move(dict)))};
}

Value Runtime::method(const Value& self, std::string_view name) {
    work(128);
    const int depth = 1 + depthOf(self);
    checkDepth(depth);
    return {std::shared_ptr<const Method>(
        std::make_shared<Method>(Method{self, std::string(name), depth}))};
}

SequencePtr Runtime::items(const Value& value) {
    Values all;
    if (const auto* s = value.as<SequencePtr>()) {
        if ((*s)->kind != Sequence::Kind::Generator) return *s;
        if (!std::exchange((*s)->spent, true)) return *s;
    } else if (const Dict* d = value.dict()) {
        for (const auto& [key, ignored] : d->items)
            all.push_back(key);
    } else if (const std::string* s = value.string()) {
        step(s->size() / 8);
        work(s->size() * (sizeof(Value) + 64));
        for (std::size_t at = 0; at < s->size();) {
            const std::size_t bytes = codePointAt(*s, at).bytes;
            all.push_back({Str{std::make_shared<const std::string>(s->substr(at, bytes)), false}});
            at += bytes;
        }
    } else if (!value.isUndefined()) {
        fail("'" + std::string(typeName(value)) + "' cannot be looped over");
    }
    return *list(std::move(all)).as<SequencePtr>();
}

std::int64_t Runtime::length(const Value& value) {
    if (const std::string* s = value.string()) {
        work(s->size());
        return static_cast<std::int64_t>(codePoints(*s));
    }
    if (const Dict* d = value.dict()) return static_cast<std::int64_t>(d->items.size());
    const Sequence* s = value.sequence();
    if (s != nullptr && s->kind != Sequence::Kind::Generator)
        return static_cast<std::int64_t>(s->items.size());
    if (value.isUndefined()) return 0;
    fail("'" + std::string(typeName(value)) + "' has no length");
}

} // namespace fkv::text::jinja
