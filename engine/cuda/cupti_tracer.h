// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/kernel_tracer.h"

#include <memory>
#include <string>

namespace fkv::cuda {

/// Kernels, copies and fills of this process by CUPTI's activity records. CUPTI is loaded when it
/// is asked for and never linked; it serves one client in a process, so there is one of these at a
/// time.
class CuptiTracer final : public KernelTracer {
public:
    struct Opened {
        std::unique_ptr<CuptiTracer> tracer;
        std::string refusal; ///< why there is none, in some words
    };
    /// `library`: instead of the toolkit's own.
    static Opened open(const char* library = nullptr);
    ~CuptiTracer() override;
    CuptiTracer(const CuptiTracer&) = delete;
    CuptiTracer& operator=(const CuptiTracer&) = delete;

    std::uint64_t enter() override;
    void leave() override;
    std::int64_t nowNs() override;
    std::vector<KernelRecord> take() override;

private:
    struct Library;
    explicit CuptiTracer(std::unique_ptr<Library> library);

    std::unique_ptr<Library> m_library;
    std::uint64_t m_entered = 0;
};

} // namespace fkv::cuda
