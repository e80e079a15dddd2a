// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"

#include <cstdint>
#include <memory>

namespace fkv::model {

/// Memory of a backend, and a count of what is held of it. Buffers may outlive this object; the
/// backend must outlive both.
class DeviceMemory {
public:
    explicit DeviceMemory(ops::Backend& backend);

    /// Throws Error{OutOfMemory}. Contents are undefined.
    ops::BufferPtr bytes(std::int64_t count, ops::Lifetime lifetime = ops::Lifetime::Session);
    ops::Tensor matrix(std::int64_t rows, std::int64_t cols, DType dtype = DType::F32);

    std::int64_t heldBytes() const;
    std::int64_t peakBytes() const; ///< the most that was held at once since restartPeak()
    void restartPeak();

private:
    struct Count;
    ops::Backend& m_backend;
    std::shared_ptr<Count> m_count;
};

} // namespace fkv::model
