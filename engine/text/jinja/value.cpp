// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/value.h"

#include <cmath>
#include <cstring>

namespace fkv::text::jinja {

std::string keyName(const Value& key) {
    std::int64_t storage = 0;
    if (const std::string* s = key.string()) return "s" + *s;
    if (const std::int64_t* i = integerOf(key, storage)) return "n" + std::to_string(*i);
    if (const double* d = key.as<double>()) {
        if (std::floor(*d) == *d && std::abs(*d) < 9e18)
            return "n" + std::to_string(static_cast<std::int64_t>(*d));
        std::string bits(sizeof *d, '\0');
        std::memcpy(bits.data(), d, sizeof *d);
        return "f" + bits;
    }
    return key.isNone() ? "x" : std::string();
}

const Value* Dict::find(const Value& key) const {
    const auto it = places.find(keyName(key));
    return it == places.end() ? nullptr : &items[it->second].second;
}

const Value* Dict::find(std::string_view key) const {
    const auto it = places.find("s" + std::string(key));
    return it == places.end() ? nullptr : &items[it->second].second;
}

void Dict::set(const Value& key, Value value) {
    depth = std::max(depth, 1 + depthOf(value));
    const auto [it, added] = places.emplace(keyName(key), items.size());
    if (added)
        items.emplace_back(key, std::move(value));
    else
        items[it->second].second = std::move(value);
}

int depthOf(const Value& value) {
    if (const Sequence* s = value.sequence()) return s->depth;
    if (const Dict* d = value.dict()) return d->depth;
    if (const auto* m = value.as<std::shared_ptr<const Method>>()) return (*m)->depth;
    return 0;
}

bool truthy(const Value& value) {
    if (value.isUndefined() || value.isNone()) return false;
    if (const bool* b = value.as<bool>()) return *b;
    if (const auto* i = value.as<std::int64_t>()) return *i != 0;
    if (const double* d = value.as<double>()) return *d != 0.0;
    if (const std::string* s = value.string()) return !s->empty();
    if (const Sequence* s = value.sequence())
        return s->kind == Sequence::Kind::Generator || !s->items.empty();
    if (const Dict* d = value.dict()) return !d->items.empty();
    return true;
}

std::string_view typeName(const Value& value) {
    static constexpr std::string_view kNames[] = {"Undefined", "NoneType", "bool", "int",
                                                  "float",     "str",      "list", "dict"};
    const std::size_t index = value.data.index();
    if (const Sequence* s = value.sequence()) {
        static constexpr std::string_view kKinds[] = {
            "list", "tuple", "range", "generator", "dict_items", "dict_keys", "dict_values"};
        return kKinds[static_cast<std::size_t>(s->kind)];
    }
    if (index < std::size(kNames)) return kNames[index];
    if (value.object(Object::Kind::Namespace) != nullptr) return "Namespace";
    if (value.object(Object::Kind::Loop) != nullptr) return "LoopContext";
    if (value.object(Object::Kind::Macro) != nullptr) return "Macro";
    return "function";
}

const std::int64_t* integerOf(const Value& value, std::int64_t& storage) {
    if (const auto* i = value.as<std::int64_t>()) return i;
    if (const bool* b = value.as<bool>()) {
        storage = *b ? 1 : 0;
        return &storage;
    }
    return nullptr;
}

bool numberOf(const Value& value, double& out) {
    std::int64_t storage = 0;
    if (const std::int64_t* i = integerOf(value, storage)) {
        out = static_cast<double>(*i);
        return true;
    }
    const double* d = value.as<double>();
    if (d != nullptr) out = *d;
    return d != nullptr;
}

} // namespace fkv::text::jinja
