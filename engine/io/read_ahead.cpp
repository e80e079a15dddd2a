// SPDX-License-Identifier: Apache-2.0
#include "engine/io/read_ahead.h"

#include <algorithm>
#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace fkv::io {

namespace {

/// Asked for at once. The call waits for its place in the disk's queue, so it must not be long.
constexpr std::size_t kPiece = 16U << 20;

void ask(std::span<const std::byte> bytes) {
    static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size();
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

} // namespace

ReadAhead::ReadAhead(std::vector<std::span<const std::byte>> ranges, std::size_t aheadBytes)
    : m_ranges(std::move(ranges)),
      m_aheadBytes(aheadBytes),
      m_thread([this](const std::stop_token& stop) { run(stop); }) {}

void ReadAhead::used(std::size_t bytes) {
    {
        const std::scoped_lock lock(m_mutex);
        m_used += bytes;
    }
    m_moved.notify_one();
}

void ReadAhead::run(const std::stop_token& stop) {
    std::size_t asked = 0;
    for (std::span<const std::byte> range : m_ranges) {
        while (!range.empty()) {
            {
                std::unique_lock lock(m_mutex);
                if (!m_moved.wait(lock, stop, [&] { return asked < m_used + m_aheadBytes; }))
                    return;
            }
            const std::span<const std::byte> piece = range.first(std::min(kPiece, range.size()));
            ask(piece);
            asked += piece.size();
            range = range.subspan(piece.size());
        }
    }
}

} // namespace fkv::io
