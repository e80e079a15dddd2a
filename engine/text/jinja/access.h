// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/arguments.h"

#include <array>
#include <string_view>

namespace fkv::text::jinja {

/// value.name: a method first, then what the value holds; an undefined value where there is
/// neither. Throws for an attribute of something undefined.
Value attributeOf(Runtime& runtime, const Value& value, std::string_view name);
/// value[key]: what the value holds first, then a method.
Value itemOf(Runtime& runtime, const Value& value, const Value& key);

/// value[from:to:step] of a text, list, tuple or range; none for what was left out.
struct SliceBounds {
    Value from, to, step;
};
Value sliceOf(Runtime& runtime, const Value& value, const SliceBounds& bounds);

/// Methods of str, dict, list and tuple.
Value callMethod(Runtime& runtime, const Method& method, const CallArguments& arguments);

} // namespace fkv::text::jinja
