// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/ops/backend.h"

#include <array>
#include <cstddef>
#include <cuda_runtime.h>
#include <span>
#include <vector>

namespace fkv::cuda {

/// A second stream for what nobody on the device waits for: ranks that only the host reads, and
/// results on their way to it through pinned memory, all while the main stream runs the next layer.
class SideStream {
public:
    explicit SideStream(cudaStream_t main);
    ~SideStream();
    SideStream(const SideStream&) = delete;
    SideStream& operator=(const SideStream&) = delete;

    /// The stream, behind everything that the main stream has been given so far.
    cudaStream_t afterMain();
    /// What the main stream is given next runs after everything that this one has been given.
    void holdMain();

    /// Enqueues the copies; returns a ticket. At most kSlots deliveries are under way: a further
    /// one drops the oldest that nobody awaited.
    std::uint64_t deliver(std::span<const ops::Delivery> items);
    /// Waits for a delivery and fills its targets. Nothing when it was awaited before.
    void await(std::uint64_t ticket, ThreadPool& pool);
    void synchronize();

private:
    static constexpr std::size_t kSlots = 2;
    struct Part {
        void* to;
        std::size_t at, bytes;
    };
    struct Slot {
        std::byte* pinned = nullptr;
        std::size_t capacity = 0;
        cudaEvent_t done = nullptr;
        std::vector<Part> parts; ///< empty: nothing under way
        std::uint64_t ticket = 0;
    };
    void grow(Slot& slot, std::size_t bytes);

    cudaStream_t m_main;
    cudaStream_t m_stream = nullptr;
    cudaEvent_t m_mainReached = nullptr, m_sideReached = nullptr;
    std::array<Slot, kSlots> m_slots;
    std::uint64_t m_tickets = 0;
};

} // namespace fkv::cuda
