// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/runtime.h"

#include <initializer_list>
#include <optional>
#include <string_view>

namespace fkv::text::jinja {

/// The values that a call passes.
struct CallArguments {
    Values positional;
    std::vector<std::pair<std::string, Value>> named;
};

/// The arguments of a filter, test or method by the names of its parameters. Throws for an argument
/// too many and for a name it does not know.
class Given {
public:
    Given(Runtime& runtime, std::string_view what, const CallArguments& arguments,
          std::initializer_list<std::string_view> parameters);

    bool has(std::size_t i) const { return m_values[i] != nullptr; }
    /// Throws when it was not given.
    const Value& value(std::size_t i) const;
    const Value* find(std::size_t i) const { return m_values[i]; }
    /// Not given and none give the default; another type throws.
    std::int64_t integer(std::size_t i, std::int64_t otherwise) const;
    std::string text(std::size_t i, std::string_view otherwise) const;
    std::optional<std::string_view> textIf(std::size_t i) const;
    bool flag(std::size_t i, bool otherwise) const;

private:
    Runtime& m_runtime;
    std::string m_what;
    std::vector<std::string_view> m_names;
    std::vector<const Value*> m_values;
};

} // namespace fkv::text::jinja
