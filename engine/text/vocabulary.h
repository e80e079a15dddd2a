// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/string_hash.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace fkv::text {

/// Ids of an untrusted file stay below this.
inline constexpr std::int32_t kMostIds = 1 << 22;

/// Tokens by id and by spelling. Ids may have gaps.
class Vocabulary {
public:
    void reserve(std::size_t tokens) { m_ids.reserve(tokens); }
    /// Throws BadFile for an id out of range or taken by another spelling, and for a spelling that
    /// has another id already. `where` names the file.
    void add(std::int64_t id, std::string_view spelling, const std::string& where);

    /// A token that no spelling finds, and whose spelling others may have. Throws as add() does.
    void addApart(std::int64_t id, std::string_view spelling, const std::string& where);

    /// One past the highest id.
    std::int32_t size() const { return static_cast<std::int32_t>(m_entries.size()); }
    bool has(std::int32_t id) const;
    /// The id, or -1.
    std::int32_t find(std::string_view spelling) const;
    /// The spelling; "" for an id that is not there.
    std::string_view spelling(std::int32_t id) const;

private:
    /// Where an id's entry is; makes room for it.
    const std::string*& place(std::int64_t id, std::string_view spelling, const std::string& where);

    StringMap<std::int32_t> m_ids;
    std::deque<std::string> m_apart;
    std::vector<const std::string*> m_entries; ///< by id, in the two above; null in a gap
};

} // namespace fkv::text
