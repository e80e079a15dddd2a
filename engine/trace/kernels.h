// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fkv::trace {

/// One kernel, copy or fill that a GPU ran, on the run's clock.
struct Kernel {
    std::int64_t beginNs = 0;
    std::int64_t endNs = 0;
    std::uint32_t span = 0; ///< of the run's spans: the innermost it was launched in
    std::uint32_t name = 0; ///< index into the names
    std::int64_t durationNs() const { return endNs - beginNs; }
};

/// What ran below the spans, when that was asked for.
struct KernelList {
    std::vector<std::string> names; ///< without arguments, each once
    std::vector<Kernel> kernels;    ///< of a stretch ascending in time
    std::string absent;             ///< why they are not recorded although they were asked for

    bool empty() const { return kernels.empty(); }
};

/// Where a stretch of work lands in a run.
struct StretchPlace {
    std::int64_t ns = 0;   ///< of the run's clock, at its beginning
    std::size_t spans = 0; ///< of the run, before its own
};
void append(KernelList& to, const KernelList& more, const StretchPlace& place);

/// Kernels of one name, summed.
struct KernelTotal {
    std::uint32_t name = 0;
    std::int64_t count = 0;
    std::int64_t ns = 0;
};
/// The longest first; names break ties.
std::vector<KernelTotal> totals(const KernelList& list);

} // namespace fkv::trace
