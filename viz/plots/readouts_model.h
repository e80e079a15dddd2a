// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/run.h"
#include "viz/state/shown.h"

#include <QString>
#include <array>
#include <limits>
#include <optional>

namespace fkv::viz {

/// Rows of the readouts, in the order they are shown (VIEWS, Answers and readouts 4).
enum class Metric : std::uint8_t {
    FirstToken, ///< prefill, ms
    PerToken,   ///< decoding, ms a token
    KvBytes,    ///< keys and values that this setting keeps
    PeakMemory, ///< bytes, of the deployed path, when measured
    Sequences,  ///< KV caches of this prompt that fit in a given memory
    FirstKl,    ///< nats
    MeanKl,     ///< nats, along the full-context answer
    Top1,       ///< share of steps whose best token agrees
    Count
};
inline constexpr std::size_t kMetrics = static_cast<std::size_t>(Metric::Count);

QString nameOf(Metric metric); ///< "time to first token"
QString keyOf(Metric metric);  ///< for saved targets: "firstToken"
QString tipOf(Metric metric);
/// Where larger is better: targets are then at least.
bool moreIsBetter(Metric metric);

/// Numbers of one row, in ms, bytes, nats, shares or counts; NaN where not known or meaningless.
struct Reading {
    double full = std::numeric_limits<double>::quiet_NaN();
    double method = std::numeric_limits<double>::quiet_NaN();
    trace::State state = trace::State::Exact; ///< of `method`
    bool pending = false;                     ///< `method` belongs to other settings
};
using Readings = std::array<Reading, kMetrics>;
struct ReadingInputs {
    double gib = 16.0; ///< for Sequences
    /// KL of the first token from the logits of both passes: stands in until fidelity is there.
    double firstKl = std::numeric_limits<double>::quiet_NaN();
};
Readings readingsOf(const Shown& shown, const ReadingInputs& inputs);

/// How much better the method is: full / method, for sequences method / full; NaN for fidelity.
double ratioOf(Metric metric, const Reading& reading);
QString formatValue(Metric metric, double value);

/// What a row should reach: "<= 500 ms". In the unit of its Reading.
struct Target {
    bool atMost = true;
    double value = 0.0;
    bool operator==(const Target&) const = default;
};
/// Reads "<= 500 ms", "≥ 90 %", "2 GiB", "< 0.05": the sign may be left out (the better direction
/// of the metric is meant) and so may the unit (ms, MiB, %; a share up to 1 for top-1). Nothing for
/// anything else, units of another kind, and numbers that are negative or not finite.
std::optional<Target> parseTarget(Metric metric, const QString& text);
QString formatTarget(Metric metric, const Target& target); ///< "≤ 500 ms", three digits
QString savedTarget(Metric metric, const Target& target);  ///< "<= 512.25": parses to the same
enum class Verdict : std::uint8_t { Met, Missed, Pending };
Verdict judge(const Target& target, const Reading& reading);

} // namespace fkv::viz
