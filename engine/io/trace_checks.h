// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/plane.h"
#include "engine/trace/settings.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fkv::io {

/// Rows of ranks of an opened file that have to be permutations of [0, columns). Collected first
/// and then checked together, on all cores: at 131,072 tokens x 32 layers x 8 heads there are 34
/// million.
class RankCheck {
public:
    void add(std::string name, const trace::PlanePtr<std::uint32_t>& plane);
    /// The name of a plane with a row that is no permutation, or empty.
    std::string firstFault(ThreadPool& pool) const;
    std::size_t elements() const;

private:
    struct Row {
        std::size_t plane;
        std::span<const std::uint32_t> values;
    };
    std::vector<std::string> m_names;
    std::vector<trace::PlanePtr<std::uint32_t>> m_planes;
    std::vector<Row> m_rows;
};

/// True when every value is larger than the one before it.
bool strictlyAscending(std::span<const std::int32_t> values);

/// What one head of a layer keeps, as a file lists it.
struct KeptRow {
    std::span<const std::int32_t> listed;    ///< [C] positions
    std::span<const std::uint32_t> ranks;    ///< [S - w], a permutation
    std::span<const std::int32_t> survivors; ///< [S] positions by column; empty: column = position
    std::int64_t entering = 0;               ///< S
    int window = 0;                          ///< w
};
/// True when `listed` is ascending and holds the best C - w columns and the window.
bool keptAgrees(const KeptRow& row);

} // namespace fkv::io
