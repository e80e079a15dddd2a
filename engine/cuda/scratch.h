// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cuda/check.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace fkv::cuda {

/// Device memory that grows when asked for more and is reused by everything that runs on one
/// stream.
class GrowingBuffer {
public:
    GrowingBuffer() = default;
    ~GrowingBuffer() { cudaFree(m_data); }
    GrowingBuffer(const GrowingBuffer&) = delete;
    GrowingBuffer& operator=(const GrowingBuffer&) = delete;

    /// At least `bytes`, 256-byte aligned; old contents are lost. Growing waits for the device.
    void* atLeast(std::size_t bytes) {
        if (bytes <= m_bytes) return m_data;
        cudaFree(m_data);
        m_data = nullptr;
        m_bytes = 0;
        check(cudaMalloc(&m_data, bytes), "scratch");
        m_bytes = bytes;
        return m_data;
    }
    std::size_t bytes() const { return m_bytes; }

private:
    void* m_data = nullptr;
    std::size_t m_bytes = 0;
};

/// Brings small host arrays to the device without waiting for it: pinned memory and device memory
/// of the same size, used round and round. A slice is valid until kBytes more have been asked for.
class UploadRing {
public:
    static constexpr std::size_t kBytes = 32U << 20;

    UploadRing() {
        check(cudaMallocHost(&m_host, kBytes), "pinned staging");
        check(cudaMalloc(&m_device, kBytes), "staging");
    }
    ~UploadRing() {
        cudaFreeHost(m_host);
        cudaFree(m_device);
    }
    UploadRing(const UploadRing&) = delete;
    UploadRing& operator=(const UploadRing&) = delete;

    const std::int32_t* put(std::span<const std::int32_t> values, cudaStream_t stream) {
        const std::size_t bytes = values.size_bytes();
        const std::size_t room = (bytes + 255) / 256 * 256;
        if (room > kBytes)
            throw Error(ErrorCode::Internal, "more indices than the staging memory holds");
        if (m_at + room > kBytes) {
            // The copies of the last round may still be reading the pinned side.
            check(cudaStreamSynchronize(stream), "staging");
            m_at = 0;
        }
        auto* host = static_cast<std::byte*>(m_host) + m_at;
        auto* device = static_cast<std::byte*>(m_device) + m_at;
        std::memcpy(host, values.data(), bytes);
        check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream), "staging");
        m_at += room;
        return reinterpret_cast<const std::int32_t*>(device);
    }

private:
    void* m_host = nullptr;
    void* m_device = nullptr;
    std::size_t m_at = 0;
};

} // namespace fkv::cuda
