// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/scratch.h"

namespace fkv::cuda {

/// Memory of the backend's own, reused by all ops of a stream.
struct CudaBackend::Scratch {
    UploadRing ring;
    GrowingBuffer select; ///< window sums, ranks
    GrowingBuffer aside;  ///< ranks on the side stream
    GrowingBuffer norm;   ///< rows before the LM head
    GrowingBuffer best;   ///< argMax
};

} // namespace fkv::cuda
