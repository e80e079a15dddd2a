// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fkv::text {

/// What two neighbours merge into.
struct Merge {
    std::uint32_t rank = 0; ///< lower merges first
    std::int32_t id = -1;   ///< -1: they do not merge
};

/// Merges by pair of ids: an open-addressed table, half empty at most. A text of 128K tokens asks
/// it a million times, and most answers are no.
class PairMap {
public:
    explicit PairMap(std::size_t pairs) {
        std::size_t size = 16;
        while (size < pairs * 2)
            size *= 2;
        m_slots.resize(size);
    }
    /// No more than the constructor was told; a pair that is there is overwritten.
    void set(std::int32_t left, std::int32_t right, Merge merge) {
        Slot& slot = m_slots[place(key(left, right))];
        slot = {key(left, right), merge};
    }
    Merge find(std::int32_t left, std::int32_t right) const {
        return m_slots[place(key(left, right))].merge;
    }

private:
    static constexpr std::uint64_t kFree = ~std::uint64_t{0};
    struct Slot {
        std::uint64_t key = kFree; // ids are not negative: no pair has this key
        Merge merge;
    };
    static std::uint64_t key(std::int32_t left, std::int32_t right) {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
               static_cast<std::uint32_t>(right);
    }
    std::size_t place(std::uint64_t key) const {
        // Fibonacci hashing; the upper half carries the mixture.
        std::size_t at = (key * 0x9E3779B97F4A7C15ULL) >> 20 & (m_slots.size() - 1);
        while (m_slots[at].key != key && m_slots[at].key != kFree)
            at = (at + 1) & (m_slots.size() - 1);
        return at;
    }
    std::vector<Slot> m_slots;
};

} // namespace fkv::text
