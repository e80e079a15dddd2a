// SPDX-License-Identifier: Apache-2.0
#include "engine/text/jinja/arguments.h"

#include <algorithm>

namespace fkv::text::jinja {

Given::Given(Runtime& runtime, std::string_view what, const CallArguments& arguments,
             std::initializer_list<std::string_view> parameters)
    : m_runtime(runtime), m_what(what), m_names(parameters), m_values(parameters.size()) {
    if (arguments.positional.size() > m_names.size())
        runtime.fail("'" + m_what + "' takes at most " + std::to_string(m_names.size()) +
                     " argument(s)");
    for (std::size_t i = 0; i < arguments.positional.size(); ++i)
        m_values[i] = &arguments.positional[i];
    for (const auto& [name, value] : arguments.named) {
        const auto it = std::find(m_names.begin(), m_names.end(), name);
        if (it == m_names.end()) runtime.fail("'" + m_what + "' has no parameter '" + name + "'");
        const Value*& place = m_values[static_cast<std::size_t>(it - m_names.begin())];
        if (place != nullptr)
            runtime.fail("'" + m_what + "' got its parameter '" + name + "' twice");
        place = &value;
    }
}

const Value& Given::value(std::size_t i) const {
    if (!has(i))
        m_runtime.fail("'" + m_what + "' needs its argument '" + std::string(m_names[i]) + "'");
    return *m_values[i];
}

std::int64_t Given::integer(std::size_t i, std::int64_t otherwise) const {
    if (!has(i) || m_values[i]->isNone()) return otherwise;
    std::int64_t storage = 0;
    const std::int64_t* number = integerOf(*m_values[i], storage);
    if (number == nullptr) m_runtime.refuse(*m_values[i], "a whole number for " + m_what);
    return *number;
}

std::optional<std::string_view> Given::textIf(std::size_t i) const {
    if (!has(i) || m_values[i]->isNone()) return std::nullopt;
    if (m_values[i]->string() == nullptr) m_runtime.refuse(*m_values[i], "a text for " + m_what);
    return *m_values[i]->string();
}

std::string Given::text(std::size_t i, std::string_view otherwise) const {
    return std::string(textIf(i).value_or(otherwise));
}

bool Given::flag(std::size_t i, bool otherwise) const {
    return has(i) ? truthy(*m_values[i]) : otherwise;
}

} // namespace fkv::text::jinja
