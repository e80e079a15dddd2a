// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/run.h"
#include "engine/trace/tables.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

namespace fkv::select {

/// All curves at 64 log-spaced K (SPEC section 7). Needs full.ranks, tspRanks, mass and window sums.
std::shared_ptr<const trace::Tables> computeTables(const trace::FullPass& full, ThreadPool& pool,
                                                   const std::stop_token& stop);

/// Exact values at one K (what a slider's release shows), as a table with a single K.
trace::StabilizationTable exactAt(const trace::FullPass& full, std::int64_t k, bool withoutEnd,
                                  ThreadPool& pool);

/// ASL's relative rank variance per layer (SPEC section 7), [L]; NaN for the first `layersBack` - 1.
struct RankVarianceParams {
    std::int64_t topK = 512;
    int layersBack = 4;
};
std::vector<double> rankVariance(const trace::FullPass& full, const RankVarianceParams& p);

}  // namespace fkv::select
