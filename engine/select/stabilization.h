// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/run.h"
#include "engine/trace/tables.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

namespace fkv::select {

/// Tokens at the end of the prompt that the curves "without the end" leave out: recent tokens agree
/// in every layer and flatter every curve.
inline constexpr std::int64_t kEndTokens = 64;

/// At most 64 log-spaced K for M scored tokens: ascending, first 1, last M. Empty when M is 0.
std::vector<std::int64_t> tableKs(std::int64_t scored);

/// All curves at 64 log-spaced K (SPEC section 7). Needs full.tspRanks; recall needs window sums or
/// mass, the worst head and the head table need window sums and ranks: what cannot be known is NaN
/// (the head table: empty). Scores that are not finite count as no mass; a row without any mass has
/// recall 1, as nothing of it can be lost. With no scored token every table is empty.
/// `between` is called on the caller's thread some hundred times, between short parallel stretches:
/// a place to step aside for something more urgent.
/// At 131,072 tokens x 32 layers x 8 KV heads about 1.3e9 additions, and 28 MB beside the run.
std::shared_ptr<const trace::Tables> computeTables(const trace::FullPass& full, ThreadPool& pool,
                                                   const std::stop_token& stop,
                                                   const std::function<void()>& between = {});

/// Exact values at one K (what a slider's release shows), as a table with a single K, clamped to
/// the scored tokens.
trace::StabilizationTable exactAt(const trace::FullPass& full, std::int64_t k, bool withoutEnd,
                                  ThreadPool& pool, const std::stop_token& stop = {});

/// ASL's relative rank variance per layer (SPEC section 7), [L]: the mean, over the union of the
/// last `layersBack` layers' top K tokens, of the variance of a token's rank over those layers,
/// divided by the first such value. NaN for the first `layersBack` - 1 layers, and everywhere when
/// no token is scored. Where the first value is 0: 1 if still 0, else infinite.
struct RankVarianceParams {
    std::int64_t topK = 512;
    int layersBack = 4;
};
std::vector<double> rankVariance(const trace::FullPass& full, const RankVarianceParams& p);

}  // namespace fkv::select
