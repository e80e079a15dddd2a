// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/kernels.h"

namespace fkv::cpu {

#ifdef __x86_64__
namespace avx512 { extern const Kernels kKernels; }
namespace avx2 { extern const Kernels kKernels; }
#endif
namespace portable { extern const Kernels kKernels; }

const Kernels* kernelsThatRun(int index) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") != 0 && index-- == 0) return &avx512::kKernels;
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 && index-- == 0)
        return &avx2::kKernels;
#endif
    return index == 0 ? &portable::kKernels : nullptr;
}

const Kernels& bestKernels() {
    return *kernelsThatRun(0);
}

}  // namespace fkv::cpu
