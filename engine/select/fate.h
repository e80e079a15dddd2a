// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/fate.h"

#include <memory>

namespace fkv::select {

/// What `settings` keep of `run`'s prompt. Exact where the run has the planes for it: layers <= t
/// always; later layers when run.fastkv was made with the same prefill settings. Otherwise those are a
/// preview (VIEWS section 1): members of the TSP set in the order of full.ranks of that layer and head,
/// until C - w are found. `run` needs `full`; settings must be valid and have the run's scoring.
/// `previous` may be the fate shown before: its unchanged parts are shared.
/// At 131,072 tokens x 32 layers x 8 heads: KV budget alone < 1 ms, TSP < 10 ms on two threads.
trace::FatePtr computeFate(const trace::Run& run, const trace::Settings& settings,
                           ThreadPool* pool = nullptr, const trace::FatePtr& previous = nullptr);

/// The same of a run without its full pass, which says nothing about tokens but who passed TSP: settings
/// and budgets, survivors where the run has them for these prefill settings (else none), no layers.
trace::FatePtr deployedFate(const trace::Run& run, const trace::Settings& settings);

/// Ascending kept positions of one head (what a trace file lists), C of them.
std::vector<std::int32_t> keptPositions(const trace::Fate& fate, int layer, int head);

}  // namespace fkv::select
