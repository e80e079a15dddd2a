// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/runtime.h"

#include <optional>

namespace fkv::text::jinja {

/// What {{ value }} prints: str() of Python.
std::string printed(Runtime& runtime, const Value& value);
/// repr() of Python, as printed inside of lists and dicts.
std::string representation(Runtime& runtime, const Value& value);

/// json.dumps() with the defaults that chat templates are rendered with: nothing escaped but what
/// JSON needs. `indent` switches to one item a line.
struct JsonStyle {
    bool ascii = false, sortKeys = false;
    std::optional<std::string> indent;
    std::string itemSeparator = ", ", keySeparator = ": ";
};
std::string json(Runtime& runtime, const Value& value, const JsonStyle& style);

/// &, <, >, ' and " for HTML, as the filters |e and |safe mean it.
std::string escaped(std::string_view text);

} // namespace fkv::text::jinja
