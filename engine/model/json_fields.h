// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_limits.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fkv::model {

/// One JSON object of a model folder, read with the checks that untrusted numbers need. A key that
/// is null counts as absent. Throws Error{BadFile} that names the file and the key. Borrows the
/// object.
class JsonFields {
public:
    /// `where` begins every message, "config.json" or "config.json: rope_scaling".
    JsonFields(const nlohmann::json& object, std::string where);

    bool has(const std::string& key) const { return find(key) != nullptr; }
    /// Also where it is null.
    bool contains(const std::string& key) const { return m_object.contains(key); }
    /// Null when absent.
    const nlohmann::json* find(const std::string& key) const;
    /// A whole number in [1, most].
    std::int64_t integer(const std::string& key, std::int64_t most) const;
    std::int64_t integerOr(const std::string& key, std::int64_t fallback, std::int64_t most) const;
    /// The same from 0 on.
    std::int64_t unsignedOr(const std::string& key, std::int64_t fallback, std::int64_t most) const;
    double positive(const std::string& key) const;
    double positiveOr(const std::string& key, double fallback) const;
    bool flagOr(const std::string& key, bool fallback) const;
    std::string textOr(const std::string& key, const std::string& fallback) const;
    /// One id, a list of ids, or nothing.
    std::vector<std::int32_t> tokenIds(const std::string& key) const;
    /// An object inside; absent: an empty one.
    JsonFields object(const std::string& key) const;

    [[noreturn]] void refuse(const std::string& message) const;
    const std::string& where() const { return m_where; }
    bool empty() const { return m_object.empty(); }

private:
    std::int64_t between(const std::string& key, std::int64_t least, std::int64_t most) const;

    const nlohmann::json& m_object;
    std::string m_where;
};

} // namespace fkv::model
