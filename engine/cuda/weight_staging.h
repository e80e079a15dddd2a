// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"

#include <array>
#include <cstddef>
#include <cuda_runtime.h>
#include <functional>

namespace fkv::cuda {

/// Weights on their way from mapped files to the device: several threads read a piece into pinned
/// memory while the device fetches the one before.
class WeightStaging {
public:
    /// Throws OutOfMemory.
    explicit WeightStaging(cudaStream_t stream);
    ~WeightStaging();
    WeightStaging(const WeightStaging&) = delete;
    WeightStaging& operator=(const WeightStaging&) = delete;

    /// `fetch(pinned, at, bytes)` enqueues on the stream what brings a piece, `at` bytes behind
    /// `from`, to its place. Returns when `from` has been read, before the device is done.
    using Fetch = std::function<void(const std::byte* pinned, std::size_t at, std::size_t bytes)>;
    void send(const void* from, std::size_t bytes, ThreadPool& pool, const Fetch& fetch);

private:
    struct Slot {
        std::byte* pinned = nullptr;
        cudaEvent_t fetched = nullptr;
    };
    void release();

    cudaStream_t m_stream;
    std::array<Slot, 3> m_slots;
    std::size_t m_next = 0;
};

} // namespace fkv::cuda
