// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace fkv::text::jinja {

struct Value;
struct Sequence;
struct Dict;
struct Method;

/// What a missing name or attribute gives: prints as nothing, is false, and most other uses of it
/// are errors that say `why`.
struct Undefined {
    std::shared_ptr<const std::string> why;
};
struct None {};

/// Valid UTF-8. `markup` marks the result of |safe: adding plain text to it escapes the text.
struct Str {
    std::shared_ptr<const std::string> text;
    bool markup = false;
};

/// The functions every template has.
enum class Builtin : std::uint8_t { Range, Dict, Namespace, RaiseException, StrftimeNow };

/// What has an identity and may refer to itself: a namespace, a loop, a macro. The runtime keeps
/// all of them and calls release() in the end, which breaks the circles.
struct Object {
    enum class Kind : std::uint8_t { Namespace, Loop, Macro };
    explicit Object(Kind k) : kind(k) {}
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    virtual ~Object() = default;
    virtual void release() {}
    const Kind kind;
};

/// A value of a template: immutable but for objects. Cheap to copy.
struct Value {
    using Data = std::variant<Undefined, None, bool, std::int64_t, double, Str,
                              std::shared_ptr<const Sequence>, std::shared_ptr<const Dict>,
                              std::shared_ptr<Object>, std::shared_ptr<const Method>, Builtin>;
    Data data = None{};

    template <typename T>
    const T* as() const {
        return std::get_if<T>(&data);
    }
    bool isUndefined() const { return std::holds_alternative<Undefined>(data); }
    bool isNone() const { return std::holds_alternative<None>(data); }
    const std::string* string() const {
        const Str* s = as<Str>();
        return s != nullptr ? s->text.get() : nullptr;
    }
    const Sequence* sequence() const {
        const auto* p = as<std::shared_ptr<const Sequence>>();
        return p != nullptr ? p->get() : nullptr;
    }
    const Dict* dict() const {
        const auto* p = as<std::shared_ptr<const Dict>>();
        return p != nullptr ? p->get() : nullptr;
    }
    Object* object(Object::Kind kind) const {
        const auto* p = as<std::shared_ptr<Object>>();
        return p != nullptr && (*p)->kind == kind ? p->get() : nullptr;
    }
};

using Values = std::vector<Value>;

/// Anything with items in order. Views are what dict.items(), .keys() and .values() give; a
/// generator is what select, map and their like give: true, without a length, used up by a loop.
struct Sequence {
    enum class Kind : std::uint8_t { List, Tuple, Range, Generator, Items, Keys, ValuesView };
    Kind kind = Kind::List;
    Values items;
    int depth = 1; ///< 1 + the deepest item
    mutable bool spent = false;
};

/// In the order of insertion. Keys are strings, numbers, true, false or none; 1, 1.0 and true are
/// the same key.
struct Dict {
    std::vector<std::pair<Value, Value>> items;
    std::unordered_map<std::string, std::size_t> places; ///< of keyName() in `items`
    int depth = 1;

    const Value* find(const Value& key) const;
    const Value* find(std::string_view key) const;
    void set(const Value& key, Value value); ///< of a dict that nobody else has yet
};

/// A method of a string, list or dict that was not called yet.
struct Method {
    Value self;
    std::string name;
    int depth = 1;
};

/// A name that equal keys share; empty for what cannot be a key.
std::string keyName(const Value& key);

/// Containers in containers; 0 for anything else.
int depthOf(const Value& value);
bool truthy(const Value& value);
/// Python's name of the type: "str", "NoneType".
std::string_view typeName(const Value& value);
/// Integers and booleans as a number.
const std::int64_t* integerOf(const Value& value, std::int64_t& storage);
/// Any number as a double, false when it is none.
bool numberOf(const Value& value, double& out);

} // namespace fkv::text::jinja
