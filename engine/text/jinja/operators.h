// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/ast.h"
#include "engine/text/jinja/runtime.h"

namespace fkv::text::jinja {

/// Python's ==.
bool equal(Runtime& runtime, const Value& a, const Value& b);
/// Below 0, 0 or above 0; throws for values without an order. `unordered` is set by a NaN.
int compare(Runtime& runtime, const Value& a, const Value& b, bool& unordered);
/// True when a < b; for sorting.
bool less(Runtime& runtime, const Value& a, const Value& b);
/// Lists and dicts cannot be keys, not even to look for.
void refuseUnhashable(Runtime& runtime, const Value& key);
/// Python's `item in container`.
bool contains(Runtime& runtime, const Value& container, const Value& item);
bool holds(Runtime& runtime, Operator op, const Value& a, const Value& b);

/// + - * / // % **; whole numbers beyond 64 bits are an error.
Value arithmetic(Runtime& runtime, Operator op, const Value& a, const Value& b);
Value signedValue(Runtime& runtime, Operator op, const Value& of);

} // namespace fkv::text::jinja
