// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/side_stream.h"

#include "engine/cuda/check.h"

#include <algorithm>
#include <cstring>

namespace fkv::cuda {

namespace {

constexpr std::size_t kAlign = 256;
/// A host copy of this size is worth a thread of its own.
constexpr std::size_t kPiece = 1U << 20;

void event(cudaEvent_t& e) {
    check(cudaEventCreateWithFlags(&e, cudaEventDisableTiming), "an event");
}

} // namespace

SideStream::SideStream(cudaStream_t main) : m_main(main) {
    check(cudaStreamCreateWithFlags(&m_stream, cudaStreamNonBlocking), "a stream");
    event(m_mainReached);
    event(m_sideReached);
    for (Slot& slot : m_slots)
        event(slot.done);
}

SideStream::~SideStream() {
    cudaStreamSynchronize(m_stream);
    for (Slot& slot : m_slots) {
        cudaFreeHost(slot.pinned);
        cudaEventDestroy(slot.done);
    }
    cudaEventDestroy(m_sideReached);
    cudaEventDestroy(m_mainReached);
    cudaStreamDestroy(m_stream);
}

cudaStream_t SideStream::afterMain() {
    check(cudaEventRecord(m_mainReached, m_main), "the side stream");
    check(cudaStreamWaitEvent(m_stream, m_mainReached, 0), "the side stream");
    return m_stream;
}

void SideStream::holdMain() {
    // Called where memory is freed, so nothing is thrown: a failure shows at the next op.
    cudaEventRecord(m_sideReached, m_stream);
    cudaStreamWaitEvent(m_main, m_sideReached, 0);
}

void SideStream::grow(Slot& slot, std::size_t bytes) {
    if (bytes <= slot.capacity) return;
    cudaFreeHost(slot.pinned);
    slot.pinned = nullptr;
    slot.capacity = 0;
    check(cudaMallocHost(reinterpret_cast<void**>(&slot.pinned), bytes), "pinned memory");
    slot.capacity = bytes;
}

std::uint64_t SideStream::deliver(std::span<const ops::Delivery> items) {
    Slot& slot = m_slots[++m_tickets % kSlots];
    if (!slot.parts.empty()) check(cudaEventSynchronize(slot.done), "results");
    slot.parts.clear();
    slot.ticket = m_tickets;
    std::size_t total = 0;
    for (const ops::Delivery& item : items) {
        const std::size_t bytes =
            static_cast<std::size_t>(item.from.elements()) * sizeOf(item.from.dtype);
        slot.parts.push_back({item.to, total, bytes});
        total += (bytes + kAlign - 1) / kAlign * kAlign;
    }
    grow(slot, total);
    const cudaStream_t stream = afterMain();
    for (std::size_t i = 0; i < items.size(); ++i) {
        const ops::View& from = items[i].from;
        if (from.stride != from.cols)
            throw Error(ErrorCode::Internal, "deliver: views are contiguous");
        check(cudaMemcpyAsync(slot.pinned + slot.parts[i].at, from.data, slot.parts[i].bytes,
                              cudaMemcpyDeviceToHost, stream),
              "results");
    }
    check(cudaEventRecord(slot.done, stream), "results");
    return m_tickets;
}

void SideStream::await(std::uint64_t ticket, ThreadPool& pool) {
    Slot& slot = m_slots[ticket % kSlots];
    if (slot.ticket != ticket || slot.parts.empty()) return;
    check(cudaEventSynchronize(slot.done), "results");
    for (const Part& part : slot.parts) {
        const std::size_t pieces = (part.bytes + kPiece - 1) / kPiece;
        pool.parallelFor(pieces, [&](std::size_t i, int) {
            const std::size_t begin = i * kPiece;
            std::memcpy(static_cast<std::byte*>(part.to) + begin, slot.pinned + part.at + begin,
                        std::min(kPiece, part.bytes - begin));
        });
    }
    slot.parts.clear();
}

void SideStream::synchronize() {
    check(cudaStreamSynchronize(m_stream), "the side stream");
}

} // namespace fkv::cuda
