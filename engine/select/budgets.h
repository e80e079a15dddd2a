// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"
#include "engine/trace/settings.h"

#include <cstdint>

namespace fkv::select {

/// Settings a model starts with: TSP layer L/2 - 1, TSP rate 0.2, KV rate 0.1, w 8, k 7, max.
trace::Settings defaultSettings(int layers);

/// Throws Error{BadArgument} with the valid range: even kernel, rates outside (0, 1] or NaN, tokens
/// < 1, t outside [0, L), window < 1, tokens to generate outside [0, kMostGenerate], temperature
/// outside [0, kMostTemperature], top-k < 0, top-p outside (0, 1].
void validate(const trace::Settings& settings, int layers);

/// SPEC sections 2, 3 and 5: S, T and C of every layer, clamped. Settings must be valid.
/// Method::Full gives whole caches and TSP off. `tokens` >= 1.
trace::Budgets computeBudgets(const trace::Settings& settings, const trace::ModelInfo& model,
                              std::int64_t tokens);

/// Largest number of kept tokens (constant mode) whose KV fits in `bytes`; at least the window.
std::int64_t kvTokensForBytes(const trace::Settings& settings, const trace::ModelInfo& model,
                              std::int64_t tokens, std::int64_t bytes);

}  // namespace fkv::select
