// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

namespace fkv::io {

/// Brings mapped bytes from the disk before they are touched, on threads of its own: faults one by
/// one read in pieces too small for a fast disk, and leave it idle while bytes are being used. What
/// cannot be read ahead is read all the same when it is touched.
class ReadAhead {
public:
    /// Starts at once, in this order. Stays at most `aheadBytes` in front of what was used, so that
    /// a file larger than memory does not push out what is needed first. The ranges must outlive
    /// it.
    ReadAhead(std::vector<std::span<const std::byte>> ranges, std::size_t aheadBytes);

    /// So many further bytes, of any range, are no longer needed.
    void used(std::size_t bytes);

private:
    void run(const std::stop_token& stop);
    std::span<const std::byte> next(const std::stop_token& stop);

    std::vector<std::span<const std::byte>> m_ranges;
    std::size_t m_aheadBytes;
    std::mutex m_mutex;
    std::condition_variable_any m_moved;
    std::size_t m_range = 0; ///< that the next piece is the front of
    std::size_t m_asked = 0, m_used = 0;
    std::vector<std::jthread> m_threads; ///< last: they end before what they work on
};

} // namespace fkv::io
