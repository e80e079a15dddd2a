// SPDX-License-Identifier: Apache-2.0
#include "engine/io/trace_checks.h"

#include <algorithm>
#include <atomic>

namespace fkv::io {

namespace {

/// A bitmap of the ranks seen: as many bits as values, all in range, means each exactly once.
bool isPermutation(std::span<const std::uint32_t> values, std::vector<std::uint64_t>& seen) {
    seen.assign((values.size() + 63) / 64, 0);
    for (const std::uint32_t v : values) {
        if (v >= values.size()) return false;
        seen[v >> 6] |= 1ULL << (v & 63);
    }
    for (std::size_t w = 0; w + 1 < seen.size(); ++w)
        if (~seen[w] != 0) return false;
    const std::size_t rest = values.size() % 64;
    return seen.empty() || seen.back() == (rest == 0 ? ~0ULL : (1ULL << rest) - 1);
}

} // namespace

void RankCheck::add(std::string name, const trace::PlanePtr<std::uint32_t>& plane) {
    if (!plane) return;
    for (std::size_t r = 0; r < plane->rows(); ++r)
        m_rows.push_back({m_planes.size(), plane->row(r)});
    m_names.push_back(std::move(name));
    m_planes.push_back(plane);
}

std::size_t RankCheck::elements() const {
    std::size_t sum = 0;
    for (const auto& plane : m_planes)
        sum += plane->values().size();
    return sum;
}

std::string RankCheck::firstFault(ThreadPool& pool) const {
    std::vector<std::vector<std::uint64_t>> seen(static_cast<std::size_t>(pool.threads()));
    std::atomic<std::size_t> fault = m_planes.size();
    pool.parallelFor(m_rows.size(), [&](std::size_t i, int worker) {
        const Row& row = m_rows[i];
        if (row.plane >= fault.load() ||
            isPermutation(row.values, seen[static_cast<std::size_t>(worker)]))
            return;
        std::size_t known = fault.load();
        while (row.plane < known && !fault.compare_exchange_weak(known, row.plane)) {
        }
    });
    return fault == m_planes.size() ? std::string{} : m_names[fault];
}

bool strictlyAscending(std::span<const std::int32_t> values) {
    return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

bool keptAgrees(const KeptRow& row) {
    const auto kept = static_cast<std::int64_t>(row.listed.size());
    const std::int64_t scored = std::max<std::int64_t>(row.entering - row.window, 0);
    const bool whole = kept >= row.entering;
    // Exactly C columns are members, so C different members are all of them.
    std::int64_t column = -1;
    for (const std::int32_t position : row.listed) {
        if (row.survivors.empty()) {
            if (position <= column) return false;
            column = position;
        } else {
            do {
                ++column;
            } while (column < row.entering &&
                     row.survivors[static_cast<std::size_t>(column)] < position);
        }
        if (column >= row.entering) return false;
        if (!row.survivors.empty() && row.survivors[static_cast<std::size_t>(column)] != position)
            return false;
        if (!whole && column < scored &&
            row.ranks[static_cast<std::size_t>(column)] >= kept - row.window)
            return false;
    }
    return true;
}

} // namespace fkv::io
