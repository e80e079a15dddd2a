// SPDX-License-Identifier: Apache-2.0
#include "engine/model/device_memory.h"

#include <algorithm>
#include <utility>

namespace fkv::model {

struct DeviceMemory::Count {
    std::int64_t held = 0;
    std::int64_t peak = 0;
};

DeviceMemory::DeviceMemory(ops::Backend& backend)
    : m_backend(backend), m_count(std::make_shared<Count>()) {}

ops::BufferPtr DeviceMemory::bytes(std::int64_t count, ops::Lifetime lifetime) {
    // Backends need not serve zero bytes; a buffer without content still wants an address.
    count = std::max<std::int64_t>(count, 1);
    ops::BufferPtr buffer = m_backend.allocate(static_cast<std::size_t>(count), lifetime);
    m_count->held += count;
    m_count->peak = std::max(m_count->peak, m_count->held);
    ops::Buffer* raw = buffer.get();
    return {raw, [counter = m_count, count, owner = std::move(buffer)](ops::Buffer*) {
                counter->held -= count;
            }};
}

ops::Tensor DeviceMemory::matrix(std::int64_t rows, std::int64_t cols, DType dtype) {
    ops::Tensor t;
    t.buffer = bytes(rows * cols * static_cast<std::int64_t>(sizeOf(dtype)));
    t.view = {t.buffer->data(), dtype, rows, cols, cols};
    return t;
}

std::int64_t DeviceMemory::heldBytes() const {
    return m_count->held;
}
std::int64_t DeviceMemory::peakBytes() const {
    return m_count->peak;
}
void DeviceMemory::restartPeak() {
    m_count->peak = m_count->held;
}

} // namespace fkv::model
