// SPDX-License-Identifier: Apache-2.0
#include "engine/model/json_fields.h"

#include "engine/core/error.h"

#include <cmath>
#include <utility>

namespace fkv::model {

using nlohmann::json;

JsonFields::JsonFields(const json& object, std::string where)
    : m_object(object), m_where(std::move(where)) {
    if (!object.is_object()) refuse("not an object");
}

void JsonFields::refuse(const std::string& message) const {
    throw Error(ErrorCode::BadFile, m_where + ": " + message);
}

const json* JsonFields::find(const std::string& key) const {
    const auto found = m_object.find(key);
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

std::int64_t JsonFields::between(const std::string& key, std::int64_t least,
                                 std::int64_t most) const {
    const json* found = find(key);
    if (found == nullptr) refuse(key + " is missing");
    if (!found->is_number_integer()) refuse(key + " is not a whole number");
    const auto value = found->get<std::int64_t>();
    if (value < least || value > most)
        refuse(key + " is " + std::to_string(value) + ", valid: " + std::to_string(least) + " to " +
               std::to_string(most));
    return value;
}

std::int64_t JsonFields::integer(const std::string& key, std::int64_t most) const {
    return between(key, 1, most);
}

std::int64_t JsonFields::integerOr(const std::string& key, std::int64_t fallback,
                                   std::int64_t most) const {
    return has(key) ? integer(key, most) : fallback;
}

std::int64_t JsonFields::unsignedOr(const std::string& key, std::int64_t fallback,
                                    std::int64_t most) const {
    return has(key) ? between(key, 0, most) : fallback;
}

double JsonFields::positive(const std::string& key) const {
    const json* found = find(key);
    if (found == nullptr) refuse(key + " is missing");
    if (!found->is_number()) refuse(key + " is not a number");
    const auto value = found->get<double>();
    if (!(value > 0.0) || !std::isfinite(value)) refuse(key + " must be positive");
    return value;
}

double JsonFields::positiveOr(const std::string& key, double fallback) const {
    return has(key) ? positive(key) : fallback;
}

bool JsonFields::flagOr(const std::string& key, bool fallback) const {
    const json* found = find(key);
    if (found == nullptr) return fallback;
    if (!found->is_boolean()) refuse(key + " is not true or false");
    return found->get<bool>();
}

std::string JsonFields::textOr(const std::string& key, const std::string& fallback) const {
    const json* found = find(key);
    if (found == nullptr) return fallback;
    if (!found->is_string()) refuse(key + " is not a text");
    return found->get<std::string>();
}

std::vector<std::int32_t> JsonFields::tokenIds(const std::string& key) const {
    std::vector<std::int32_t> ids;
    const json* found = find(key);
    if (found == nullptr) return ids;
    const json list = found->is_array() ? *found : json::array({*found});
    for (const json& id : list) {
        // In 64 bits first: what does not fit an id must not become another one.
        const bool whole = id.is_number_integer();
        const auto value = whole ? id.get<std::int64_t>() : -1;
        if (value < 0 || value > INT32_MAX) refuse(key + " is not a token id");
        ids.push_back(static_cast<std::int32_t>(value));
    }
    return ids;
}

JsonFields JsonFields::object(const std::string& key) const {
    static const json nothing = json::object();
    const json* found = find(key);
    return {found == nullptr ? nothing : *found, m_where + ": " + key};
}

} // namespace fkv::model
