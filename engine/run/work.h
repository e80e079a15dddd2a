// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"
#include "engine/trace/run.h"

#include <functional>
#include <optional>

namespace fkv::run {

/// Operations really done by the deployed path: projections and causal attention of the rows run.
double prefillFlop(const trace::ModelInfo& m, const trace::Budgets& b);
/// Of its layers after TSP alone; 0 with TSP off.
double lateFlop(const trace::ModelInfo& m, const trace::Budgets& b);

/// Of `work`, from a backend at rest to one that has done it.
double secondsOf(ops::Backend& backend, const std::function<void()>& work);

/// The device's peaks, medians of nine: a product of 8192 by 8192 on a GPU (1024 on the CPU), and a
/// copy of `copyBytes`, which should be many times its caches. Takes twice that for the moment.
trace::DevicePeaks measurePeaks(ops::Backend& backend, std::int64_t copyBytes);
/// The same in a hundredth of a second, for what is measured beside it. Nothing on the CPU, see
/// trace::Timing, or where there is no room: figures never fail for want of their floor.
std::optional<trace::DevicePeaks> peaksOfGpu(ops::Backend& backend);

/// What a backend does in a second, measured in a few tenths of one by matrices of the size that a
/// model of a billion parameters has, in bf16 where it holds them so.
struct Rates {
    double flopPerSecond = 0.0;  ///< of a product with many rows
    double bytesPerSecond = 0.0; ///< of weights, of a product with one row
};
Rates measureRates(ops::Backend& backend);
/// The same on the CPU, and on a GPU what passes come to of its peaks. Nothing where there is no
/// room.
std::optional<Rates> ratesOf(ops::Backend& backend);
/// What a run itself came to, full context: nothing unless all of it was run and timed.
std::optional<Rates> ratesOf(const trace::Run& run);

} // namespace fkv::run
