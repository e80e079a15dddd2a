// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/kernels.h"
#include "engine/trace/zones.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fkv {

/// What a GPU ran, as a tracer hands it out: times are those of the tracer's clock.
struct KernelRecord {
    std::int64_t beginNs = 0;
    std::int64_t endNs = 0;
    std::uint64_t owner = 0; ///< what enter() gave where it was launched; 0: nothing was entered
    std::string name;
};

/// Looks below spans: which kernels ran in each.
class KernelTracer {
public:
    virtual ~KernelTracer() = default;
    /// What this thread launches from now on belongs to the id that is returned, until leave().
    /// Nested ones count for the innermost.
    virtual std::uint64_t enter() = 0;
    virtual void leave() = 0;
    /// The present time of the records' clock, read on the host.
    virtual std::int64_t nowNs() = 0;
    /// What was recorded since the last call. The streams have to be at rest.
    virtual std::vector<KernelRecord> take() = 0;
};

/// Kernels below spans that are resolved, on the spans' clock; owners[i] is the id of spans[i], and
/// what belongs to none of them is left out. `offset` is how far the spans' clock is ahead of the
/// tracer's. When that is not known: a kernel runs within the span that launched it, and of the
/// offsets that fit all of them the middle one is taken, within some microseconds of the truth.
/// Where none fits, since work was launched ahead of its time, none runs before it was launched.
trace::KernelList placeKernels(std::vector<KernelRecord> records,
                               std::span<const trace::Span> spans,
                               std::span<const std::uint64_t> owners,
                               std::optional<std::int64_t> offset = {});

/// "fkv::cuda::attentionKernel" of a mangled name: no return type, arguments or template arguments.
std::string kernelName(const char* mangled);

} // namespace fkv
