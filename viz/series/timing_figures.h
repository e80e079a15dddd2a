// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/timing_bars.h"
#include "viz/state/shown.h"

#include <optional>
#include <vector>

namespace fkv::viz {

/// What a benchmark of the method prints, one row each.
enum class Figure : std::uint8_t {
    Prefill,   ///< ms; measured standalone, else composed
    Selection, ///< ms that FastKV's prefill spends on choosing
    Decode,    ///< ms a token
    KvBytes,   ///< keys and values that are kept
    PeakBytes  ///< of the deployed path, weights included; there once it was measured
};

struct FigureSide {
    std::optional<double> value; ///< ms or bytes
    trace::State state = trace::State::Exact;
    /// The least that this device allows: operations or bytes over its measured peak.
    std::optional<double> floor;
};
struct TimingFigure {
    Figure figure = Figure::Prefill;
    FigureSide full, fastKv;
    std::optional<double> bound; ///< the most that full / FastKV can be, of Prefill
    int n = 0;                   ///< repetitions measured standalone, of Prefill

    std::optional<double> ratio() const; ///< full / FastKV
    /// FastKV's value at the bound: full's over the bound.
    std::optional<double> least() const;
    /// Share of the floor in the value.
    static std::optional<double> reached(const FigureSide& side);
};

/// Milliseconds that one decoded token takes at least: the bytes it reads over the copy rate.
/// Nothing where either is not known.
struct DecodeFloors {
    std::optional<double> full, fastKv; ///< FastKV: of the settings that the run was made for
    bool operator==(const DecodeFloors&) const = default;
};
DecodeFloors decodeFloors(const trace::Run& run);

/// All rows, in the order of Figure. KV follows from the settings on show; the prefill is the one
/// of `totals`; what belongs to other settings than shown is pending.
std::vector<TimingFigure> timingFigures(const Shown& shown, const TimingBars& bars,
                                        const TimingTotals& totals);

} // namespace fkv::viz
