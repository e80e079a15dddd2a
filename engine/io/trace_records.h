// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_record.h"
#include "engine/trace/run.h"

#include <nlohmann/json.hpp>

namespace fkv::io {

// The small records of a run as JSON: metadata of a trace file, and what `fastkv --json` prints.
// Rates and token counts keep the unit they were given in, so that a settings object can be typed
// in again as command line options of the same names.

nlohmann::json toJson(const trace::Settings& settings);
nlohmann::json toJson(const trace::Budgets& budgets);
nlohmann::json toJson(const trace::ModelInfo& model);
nlohmann::json toJson(const trace::Machine& machine); ///< without the program's version
nlohmann::json toJson(const trace::Timing& timing);   ///< without the spans
nlohmann::json toJson(const trace::Answer& answer);   ///< without the ids
nlohmann::json toJson(const trace::Fidelity& fidelity);

// The way back. Each throws Error{BadFile} for anything that no run could hold.

trace::Settings settingsFrom(const JsonRecord& json, int layers);
trace::Pooling poolingFrom(const JsonRecord& json); ///< of "pooling"
/// Budgets of `tokens` prompt tokens under `settings`: every extent is one that can occur.
trace::Budgets budgetsFrom(const JsonRecord& json, const trace::Settings& settings,
                           std::int64_t tokens, int layers);
trace::ModelInfo modelFrom(const JsonRecord& json);
trace::Machine machineFrom(const JsonRecord& json);
trace::Timing timingFrom(const JsonRecord& json);
/// `ids` [tokens of the answer], in the vocabulary.
trace::Answer answerFrom(const JsonRecord& json, std::span<const std::int32_t> ids);
trace::Fidelity fidelityFrom(const JsonRecord& json, int vocabulary);

} // namespace fkv::io
