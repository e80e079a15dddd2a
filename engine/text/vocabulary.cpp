// SPDX-License-Identifier: Apache-2.0
#include "engine/text/vocabulary.h"

#include "engine/core/error.h"

namespace fkv::text {

namespace {

[[noreturn]] void bad(const std::string& where, std::string_view spelling,
                      const std::string& what) {
    throw Error(ErrorCode::BadFile,
                where + ": the token \"" + std::string(spelling.substr(0, 60)) + "\" " + what);
}

} // namespace

const std::string*& Vocabulary::place(std::int64_t id, std::string_view spelling,
                                      const std::string& where) {
    if (id < 0 || id >= kMostIds)
        bad(where, spelling,
            "has the id " + std::to_string(id) + ", valid: 0 to " + std::to_string(kMostIds - 1));
    const auto index = static_cast<std::size_t>(id);
    if (index >= m_entries.size()) m_entries.resize(index + 1, nullptr);
    return m_entries[index];
}

void Vocabulary::add(std::int64_t id, std::string_view spelling, const std::string& where) {
    const std::string*& entry = place(id, spelling, where);
    const auto [it, added] =
        m_ids.try_emplace(std::string(spelling), static_cast<std::int32_t>(id));
    if (!added && it->second != id)
        bad(where, spelling,
            "has two ids, " + std::to_string(it->second) + " and " + std::to_string(id));
    if (added && entry != nullptr)
        bad(where, spelling, "has the id " + std::to_string(id) + " of another token");
    entry = &it->first;
}

void Vocabulary::addApart(std::int64_t id, std::string_view spelling, const std::string& where) {
    const std::string*& entry = place(id, spelling, where);
    if (entry != nullptr)
        bad(where, spelling, "has the id " + std::to_string(id) + " of another token");
    entry = &m_apart.emplace_back(spelling);
}

bool Vocabulary::has(std::int32_t id) const {
    return id >= 0 && id < size() && m_entries[static_cast<std::size_t>(id)] != nullptr;
}

std::int32_t Vocabulary::find(std::string_view spelling) const {
    const auto it = m_ids.find(spelling);
    return it == m_ids.end() ? -1 : it->second;
}

std::string_view Vocabulary::spelling(std::int32_t id) const {
    return has(id) ? std::string_view(*m_entries[static_cast<std::size_t>(id)])
                   : std::string_view();
}

} // namespace fkv::text
