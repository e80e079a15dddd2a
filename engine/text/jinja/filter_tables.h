// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/filters.h"

#include <span>

namespace fkv::text::jinja {

struct FilterCall {
    Runtime& runtime;
    std::string_view name;
    const Value& input;
    const CallArguments& arguments;

    Given given(std::initializer_list<std::string_view> parameters) const {
        return {runtime, name, arguments, parameters};
    }
};

struct FilterEntry {
    std::string_view name;
    Value (*apply)(const FilterCall&);
};

/// Filters over one value, and filters over the items of one.
std::span<const FilterEntry> valueFilters();
std::span<const FilterEntry> listFilters();

} // namespace fkv::text::jinja
