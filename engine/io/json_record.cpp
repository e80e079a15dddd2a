// SPDX-License-Identifier: Apache-2.0
#include "engine/io/json_record.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fkv::io {

using Json = nlohmann::json;

namespace {

std::optional<double> doubleFrom(const Json& value) {
    if (value.is_number()) return value.get<double>();
    if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (value == "inf") return std::numeric_limits<double>::infinity();
    if (value == "-inf") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

/// The whole number in `value` when it lies within `limits`.
std::optional<std::int64_t> integerFrom(const Json& value, const Limits& limits) {
    if (!value.is_number_integer()) return std::nullopt;
    // An unsigned number beyond the signed range would wrap around.
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        return std::nullopt;
    const auto number = value.get<std::int64_t>();
    if (number < limits.least || number > limits.most) return std::nullopt;
    return number;
}

} // namespace

JsonRecord::JsonRecord(const Json& object, std::string where)
    : m_object(&object), m_where(std::move(where)) {
    if (!object.is_object()) bad("not a JSON object");
}

void JsonRecord::bad(const std::string& what) const {
    throw Error(ErrorCode::BadFile, m_where + ": " + what);
}

bool JsonRecord::has(const char* key) const {
    const auto it = m_object->find(key);
    return it != m_object->end() && !it->is_null();
}

const Json& JsonRecord::value(const char* key) const {
    const auto it = m_object->find(key);
    if (it == m_object->end()) bad(std::string(key) + " is missing");
    return *it;
}

std::int64_t JsonRecord::integer(const char* key, const Limits& limits) const {
    const auto number = integerFrom(value(key), limits);
    if (!number)
        bad(std::string(key) + " is not a whole number from " + std::to_string(limits.least) +
            " to " + std::to_string(limits.most));
    return *number;
}

double JsonRecord::number(const char* key) const {
    const auto number = doubleFrom(value(key));
    if (!number) bad(std::string(key) + " is not a number");
    return *number;
}

std::optional<double> JsonRecord::numberIf(const char* key) const {
    if (!has(key)) return std::nullopt;
    return number(key);
}

std::vector<double> JsonRecord::numbers(const char* key) const {
    const Json& list = value(key);
    if (!list.is_array()) bad(std::string(key) + " is not a list");
    std::vector<double> out;
    out.reserve(list.size());
    for (const Json& item : list) {
        const auto number = doubleFrom(item);
        if (!number) bad(std::string(key) + " holds something that is not a number");
        out.push_back(*number);
    }
    return out;
}

bool JsonRecord::flag(const char* key) const {
    const Json& flag = value(key);
    if (!flag.is_boolean()) bad(std::string(key) + " is not true or false");
    return flag.get<bool>();
}

std::string JsonRecord::text(const char* key) const {
    const Json& text = value(key);
    if (!text.is_string()) bad(std::string(key) + " is not a text");
    return text.get<std::string>();
}

std::string JsonRecord::bytes(const char* key) const {
    const Json& list = value(key);
    if (list.is_string()) return list.get<std::string>();
    if (!list.is_array()) bad(std::string(key) + " is neither a text nor bytes");
    std::string out;
    for (const Json& item : list) {
        const auto byte = integerFrom(item, {0, 255});
        if (!byte) bad(std::string(key) + " holds something that is not a byte");
        out += static_cast<char>(*byte);
    }
    return out;
}

std::size_t JsonRecord::oneOf(const char* key, std::span<const std::string_view> names) const {
    const auto it = std::find(names.begin(), names.end(), text(key));
    if (it == names.end()) bad(std::string(key) + " has an unknown value");
    return static_cast<std::size_t>(it - names.begin());
}

JsonRecord JsonRecord::object(const char* key) const {
    return {value(key), m_where + " " + key};
}

std::vector<JsonRecord> JsonRecord::list(const char* key, std::size_t most) const {
    const Json& list = value(key);
    if (!list.is_array() || list.size() > most)
        bad(std::string(key) + " is not a list of at most " + std::to_string(most));
    std::vector<JsonRecord> out;
    out.reserve(list.size());
    for (const Json& item : list)
        out.emplace_back(item, m_where + " " + key);
    return out;
}

Json numberJson(double value) {
    if (std::isfinite(value)) return value;
    if (std::isnan(value)) return "nan";
    return value > 0 ? "inf" : "-inf";
}

Json bytesJson(std::string_view bytes) {
    if (isUtf8(bytes)) return std::string(bytes);
    Json list = Json::array();
    for (const char c : bytes)
        list.push_back(static_cast<unsigned char>(c));
    return list;
}

std::string jsonText(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

} // namespace fkv::io
