// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::io {

/// A closed range that a number of a file has to lie in.
struct Limits {
    std::int64_t least = 0;
    std::int64_t most = INT64_MAX;
};

/// Typed look-ups in one object of untrusted JSON. Every fault is an Error{BadFile} in one line
/// that names the place. Borrows the object.
class JsonRecord {
public:
    /// `where` names the object in messages: "run.safetensors: settings".
    JsonRecord(const nlohmann::json& object, std::string where);

    bool has(const char* key) const; ///< present and not null
    std::int64_t integer(const char* key, const Limits& limits) const;
    int small(const char* key, const Limits& limits) const {
        return static_cast<int>(integer(key, limits));
    }
    double number(const char* key) const; ///< see numberJson()
    std::optional<double> numberIf(const char* key) const;
    std::vector<double> numbers(const char* key) const;
    bool flag(const char* key) const;
    std::string text(const char* key) const;
    std::string bytes(const char* key) const; ///< see bytesJson()
    /// Index of the text in `names`.
    std::size_t oneOf(const char* key, std::span<const std::string_view> names) const;
    JsonRecord object(const char* key) const;
    /// The objects of a list; at most `most` of them.
    std::vector<JsonRecord> list(const char* key, std::size_t most) const;
    const nlohmann::json& value(const char* key) const;
    const std::string& where() const { return m_where; }
    [[noreturn]] void bad(const std::string& what) const;

private:
    const nlohmann::json* m_object;
    std::string m_where;
};

/// A double that survives JSON: NaN and infinities, which JSON lacks, become "nan", "inf", "-inf".
nlohmann::json numberJson(double value);
/// Bytes that survive JSON: a string when they are UTF-8, else a list of numbers. A token may be a
/// part of a character.
nlohmann::json bytesJson(std::string_view bytes);
/// JSON text for a metadata entry or a screen: always valid UTF-8, whatever a path or a name holds.
std::string jsonText(const nlohmann::json& value, int indent = -1);

} // namespace fkv::io
