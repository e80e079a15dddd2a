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

/// Multiprocessors of the current device.
inline int multiprocessors() {
    static const int count = [] {
        int device = 0, n = 0;
        const bool known =
            cudaGetDevice(&device) == cudaSuccess &&
            cudaDeviceGetAttribute(&n, cudaDevAttrMultiProcessorCount, device) == cudaSuccess;
        return known ? n : 1;
    }();
    return count;
}

/// 16 bytes of global memory to shared memory, on their way while the thread goes on; zeros when
/// not `wanted`. A thread that reads only what it asked for itself waits for its own groups, no
/// barrier.
__device__ __forceinline__ void fetch(void* to, const void* from, bool wanted = true) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                     static_cast<unsigned>(__cvta_generic_to_shared(to))),
                 "l"(from), "r"(wanted ? 16 : 0)
                 : "memory");
}
__device__ __forceinline__ void commitFetches() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int Pending>
__device__ __forceinline__ void waitForAllBut() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
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
