// SPDX-License-Identifier: Apache-2.0
#include "engine/io/read_ahead.h"

#include <algorithm>
#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace fkv::io {

namespace {

/// Taken by a thread at once. A call waits for its place in the disk's queue, so it must not be
/// long.
constexpr std::size_t kPiece = 16U << 20;
/// Linux reads no more than a device's readahead for one call, silently: this much with any
/// setting.
constexpr std::size_t kCall = 128U << 10;
/// While one waits for its place, another fills the queue.
constexpr int kThreads = 4;

void ask(std::span<const std::byte> bytes) {
    static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size();
    for (std::uintptr_t at = begin; at < end; at += kCall)
        madvise(reinterpret_cast<void*>(at), std::min(kCall, end - at), MADV_WILLNEED);
}

} // namespace

ReadAhead::ReadAhead(std::vector<std::span<const std::byte>> ranges, std::size_t aheadBytes)
    : m_ranges(std::move(ranges)), m_aheadBytes(aheadBytes) {
    for (int i = 0; i < kThreads; ++i)
        m_threads.emplace_back([this](const std::stop_token& stop) { run(stop); });
}

void ReadAhead::used(std::size_t bytes) {
    {
        const std::scoped_lock lock(m_mutex);
        m_used += bytes;
    }
    m_moved.notify_all();
}

/// Nothing at the end, or after a stop.
std::span<const std::byte> ReadAhead::next(const std::stop_token& stop) {
    std::unique_lock lock(m_mutex);
    while (true) {
        while (m_range < m_ranges.size() && m_ranges[m_range].empty())
            ++m_range;
        if (m_range == m_ranges.size()) return {};
        const auto mayAsk = [&] { return m_asked < m_used + m_aheadBytes; };
        if (mayAsk()) break;
        if (!m_moved.wait(lock, stop, mayAsk)) return {};
    }
    std::span<const std::byte>& range = m_ranges[m_range];
    const std::span<const std::byte> piece = range.first(std::min(kPiece, range.size()));
    range = range.subspan(piece.size());
    m_asked += piece.size();
    return piece;
}

void ReadAhead::run(const std::stop_token& stop) {
    while (true) {
        const std::span<const std::byte> piece = next(stop);
        if (piece.empty()) return;
        ask(piece);
    }
}

} // namespace fkv::io
