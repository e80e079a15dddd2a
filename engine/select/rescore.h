// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/run.h"

#include <functional>
#include <memory>
#include <span>

namespace fkv::select {

struct Pooling {
    int kernel = 7; ///< odd
    trace::Pooling kind = trace::Pooling::Max;
};

/// The full pass under another pooling, from its stored window sums (SPEC section 1, steps 4 and
/// 5): saliency, ranks, TSP ranks and the count of NaN are new, everything else is shared, the
/// tables are left out. The same bits as a pass with that pooling gives when the sums are exact;
/// with the half precision of a trace file it is a preview. Throws Error{Unsupported} without
/// window sums. `between` is called on the caller's thread between layers; what it throws passes
/// through.
std::shared_ptr<const trace::FullPass> rescore(const trace::FullPass& full, const Pooling& pooling,
                                               ThreadPool& pool,
                                               const std::function<void()>& between = {});

/// Window sums [H, M] summed over heads in head order into `mass` [M].
void sumHeads(std::span<const float> windowSums, std::span<float> mass, ThreadPool& pool);

} // namespace fkv::select
