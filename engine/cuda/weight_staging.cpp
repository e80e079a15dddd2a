// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/weight_staging.h"

#include "engine/cuda/check.h"

#include <algorithm>
#include <cstring>

namespace fkv::cuda {

namespace {

constexpr std::size_t kPiece = 32U << 20; ///< a multiple of every element's size
constexpr std::size_t kPerReader = 1U << 20;

} // namespace

WeightStaging::WeightStaging(cudaStream_t stream) : m_stream(stream) {
    try {
        for (Slot& slot : m_slots) {
            check(cudaMallocHost(reinterpret_cast<void**>(&slot.pinned), kPiece), "pinned memory");
            check(cudaEventCreateWithFlags(&slot.fetched, cudaEventDisableTiming), "an event");
        }
    } catch (...) {
        release();
        throw;
    }
}

WeightStaging::~WeightStaging() {
    cudaStreamSynchronize(m_stream);
    release();
}

void WeightStaging::release() {
    for (Slot& slot : m_slots) {
        cudaFreeHost(slot.pinned);
        if (slot.fetched != nullptr) cudaEventDestroy(slot.fetched);
        slot = {};
    }
}

void WeightStaging::send(const void* from, std::size_t bytes, ThreadPool& pool,
                         const Fetch& fetch) {
    const auto* source = static_cast<const std::byte*>(from);
    for (std::size_t at = 0; at < bytes; at += kPiece) {
        const std::size_t size = std::min(kPiece, bytes - at);
        Slot& slot = m_slots[m_next++ % m_slots.size()];
        check(cudaEventSynchronize(slot.fetched), "weights");
        pool.parallelFor((size + kPerReader - 1) / kPerReader, [&](std::size_t i, int) {
            const std::size_t begin = i * kPerReader;
            std::memcpy(slot.pinned + begin, source + at + begin,
                        std::min(kPerReader, size - begin));
        });
        fetch(slot.pinned, at, size);
        check(cudaEventRecord(slot.fetched, m_stream), "weights");
    }
}

} // namespace fkv::cuda
