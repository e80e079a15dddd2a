// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

namespace fkv::cli {

/// What `fastkv profile --json` prints about a finished run, and `fastkv info --json` about a
/// recorded one: model, prompt, settings, achieved, device, timing, one object for full context and
/// one under the method's name, fidelity. Milliseconds, bytes. What the run does not have is
/// absent. `stop` cuts the shown answers, and nothing that is measured.
nlohmann::json reportJson(const trace::Run& run, const std::string& stop);

/// The same for people: a few lines.
void printReport(const trace::Run& run, const std::string& stop, std::ostream& to);

/// What the driver said about the GPU: medians, the most, and the share of samples of every limit
/// that held. Null and empty when it was not asked.
nlohmann::json gpuJson(std::span<const trace::GpuSample> samples);
/// "1.98 GHz SM, 2.62 GHz memory, at most 650 W and 66 C, power cap in 80 % of 12 samples".
std::string gpuText(std::span<const trace::GpuSample> samples);

} // namespace fkv::cli
