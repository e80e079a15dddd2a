// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "engine/trace/run.h"
#include "viz/series/work_model.h"

#include <array>
#include <optional>
#include <vector>

namespace fkv::viz {

/// From the bottom of a bar to its top; selection on top, so that the overhead can be seen. Capture
/// is not in the bars: it is shown beside the total.
inline constexpr std::array<trace::ZoneGroup, 5> kBarStack{
    trace::ZoneGroup::Attention, trace::ZoneGroup::Projections, trace::ZoneGroup::Mlp,
    trace::ZoneGroup::Other, trace::ZoneGroup::Selection};

double sumOf(const GroupMs& ms); ///< of kBarStack

/// One layer: milliseconds a group in both passes. Exact: measured; preview: from the cost model.
struct LayerBars {
    GroupMs full{};
    GroupMs fastKv{};
    GroupMs least{}; ///< of FastKV: its work at the rates of the full pass; 0 without spans of it
    trace::State fullState = trace::State::Exact;
    trace::State fastKvState = trace::State::Exact;
};

/// What the bars of VIEWS section 3, Timing 1, show.
struct TimingBars {
    std::vector<LayerBars> layers; ///< [L]; empty without spans of the full pass
    GroupMs full{}, fastKv{};      ///< sums over layers and what lies outside them
    double captureMs = 0.0;        ///< capture and checkpoint writing of the full pass
    double mostMs = 0.0;           ///< the tallest bar
};
/// The full bar leaves out selection: full context selects nothing, the instrument's full pass does
/// it for FastKV. FastKV's layers up to t are those of the full pass with selection, and the
/// gathering of their cache; the later ones are spans of the rerun when it was made for the prefill
/// settings of `fate`, else the rerun's (or, without one, the full pass') scaled to the tokens that
/// `fate` passes: a preview. Capture is in neither.
TimingBars timingBars(const trace::Run& run, const trace::Fate& fate);

/// Repeated measurements: median, and the whisker from least to most.
struct Spread {
    int n = 0;
    double median = 0.0, least = 0.0, most = 0.0;
};
Spread spreadOf(std::vector<double> values);

/// A speedup beside the most that the work really done allows.
struct Speedup {
    double ratio = 0.0;
    trace::State state = trace::State::Composed;
    std::optional<double> bound;
    /// More than the bound allows is a fault somewhere, not a success.
    bool suspicious() const;
};

/// Milliseconds that the operations of a pass take at the device's product rate. Nothing where that
/// was not measured, or where the model's widths are not known.
struct PrefillFloors {
    std::optional<double> full, fastKv, standaloneFull, standaloneFastKv;
};

/// The totals at the right. Full and FastKV are without capture; a missing one was not measured.
struct TimingTotals {
    std::optional<double> fullMs, captureMs;
    std::optional<double> fastKvMs;
    trace::State fastKvState = trace::State::Composed;
    Spread standaloneFull,
        standaloneFastKv; ///< n = 0: not measured, or not for the settings of `fate`
    std::optional<Speedup> composed, standalone;
    LayerFlop fullWork, fastKvWork; ///< of the composed path
    PrefillFloors floors;
    std::optional<trace::DevicePeaks> peaks;
    bool clocksLimited = false; ///< while this was measured (see gpu_text.h)
};
TimingTotals timingTotals(const trace::Run& run, const trace::Fate& fate, const TimingBars& bars);

} // namespace fkv::viz
