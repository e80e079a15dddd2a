// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"

#include <string>

namespace fkv::run {

/// Kernels are recorded as long as this lives, if they are asked for and it can be done.
class KernelTracing {
public:
    KernelTracing(ops::Backend& backend, bool on) : m_backend(backend) {
        if (on) m_absent = backend.traceKernels(true);
    }
    ~KernelTracing() { m_backend.traceKernels(false); }
    KernelTracing(const KernelTracing&) = delete;
    KernelTracing& operator=(const KernelTracing&) = delete;

    const std::string& absent() const { return m_absent; } ///< why there are none; else empty

private:
    ops::Backend& m_backend;
    std::string m_absent;
};

} // namespace fkv::run
