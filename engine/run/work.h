// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"
#include "engine/trace/run.h"

namespace fkv::run {

/// Operations really done by the deployed path: projections and causal attention of the rows run.
double prefillFlop(const trace::ModelInfo& m, const trace::Budgets& b);

/// What a backend does in a second, measured in a few tenths of one by matrices of the size that a
/// model of a billion parameters has, in bf16 where it holds them so.
struct Rates {
    double flopPerSecond = 0.0;  ///< of a product with many rows
    double bytesPerSecond = 0.0; ///< of weights, of a product with one row
};
Rates measureRates(ops::Backend& backend);

} // namespace fkv::run
