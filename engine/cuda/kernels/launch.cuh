// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

namespace fkv::cuda {

/// Programmatic dependent launch: a kernel's blocks may be resident before the one in front of it
/// has ended. waitForPrevious() comes before the first read of what that one wrote; letNextStart()
/// says that the next may come. Both are nothing below compute capability 9.0.
__device__ __forceinline__ void waitForPrevious() {
#if __CUDA_ARCH__ >= 900
    cudaGridDependencySynchronize();
#endif
}
__device__ __forceinline__ void letNextStart() {
#if __CUDA_ARCH__ >= 900
    cudaTriggerProgrammaticLaunchCompletion();
#endif
}

/// True when the current device knows programmatic dependent launch.
inline bool overlapsLaunches() {
    static const bool does = [] {
        int device = 0, major = 0;
        return cudaGetDevice(&device) == cudaSuccess &&
               cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) ==
                   cudaSuccess &&
               major >= 9;
    }();
    return does;
}

struct Launch {
    dim3 grid;
    unsigned threads;
    std::size_t sharedBytes;
    cudaStream_t stream;
};

/// Launches a kernel that calls waitForPrevious().
template <class... Args>
cudaError_t launchOverlapping(void (*kernel)(Args...), const Launch& l, Args... args) {
    cudaLaunchAttribute early{};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = l.grid;
    config.blockDim = dim3(l.threads);
    config.dynamicSmemBytes = l.sharedBytes;
    config.stream = l.stream;
    config.attrs = &early;
    config.numAttrs = overlapsLaunches() ? 1 : 0;
    return cudaLaunchKernelEx(&config, kernel, args...);
}

} // namespace fkv::cuda
