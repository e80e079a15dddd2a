// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"

#include <cuda_runtime.h>
#include <string>

namespace fkv::cuda {

/// Turns a CUDA error into the one exception type. Out of memory is an error of its own: the window
/// then says what would fit.
inline void check(cudaError_t e, const char* what) {
    if (e == cudaSuccess) return;
    cudaGetLastError(); // a sticky error stays, any other is forgotten
    if (e == cudaErrorMemoryAllocation)
        throw Error(ErrorCode::OutOfMemory, std::string("not enough GPU memory for ") + what,
                    "A shorter prompt or a smaller checkpoint budget needs less.");
    // What a fault of this process leaves too, where the driver gives it no second context.
    if (e == cudaErrorDevicesUnavailable)
        throw Error(ErrorCode::Device, std::string("CUDA: ") + what + ": the GPU is not available",
                    "Another program may hold it; after a fault of the GPU this one has to be "
                    "started again. The CPU serves meanwhile.");
    throw Error(ErrorCode::Device, std::string("CUDA: ") + what + ": " + cudaGetErrorString(e));
}

} // namespace fkv::cuda
