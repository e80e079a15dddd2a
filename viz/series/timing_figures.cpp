// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/timing_figures.h"

namespace fkv::viz {

using trace::State;

namespace {

std::optional<double> positive(double value) {
    return value > 0.0 ? std::optional(value) : std::nullopt;
}
std::optional<double> positive(std::int64_t value) {
    return positive(static_cast<double>(value));
}

/// Of the last standalone run.
double standaloneSelectionMs(const trace::Run& run) {
    std::int64_t ns = 0;
    for (const trace::Span& span : run.timing.spans)
        if (span.pass == trace::PassKind::Standalone &&
            trace::groupOf(span.zone) == trace::ZoneGroup::Selection)
            ns += span.durationNs();
    return static_cast<double>(ns) * 1e-6;
}

/// Both sides measured standalone, else both from the instrument's passes: never one of each.
TimingFigure prefillOf(const trace::Run& run, const TimingTotals& totals) {
    TimingFigure row{.figure = Figure::Prefill};
    const FigureSide fastKv{totals.standaloneFastKv.median, State::Exact,
                            totals.floors.standaloneFastKv};
    if (totals.standalone) {
        row.full = {totals.standaloneFull.median, State::Exact, totals.floors.standaloneFull};
        row.fastKv = fastKv;
        row.bound = totals.standalone->bound;
        row.n = std::min(totals.standaloneFull.n, totals.standaloneFastKv.n);
        return row;
    }
    if (!run.hasReference() && totals.standaloneFastKv.n > 0) {
        row.fastKv = fastKv;
        row.n = totals.standaloneFastKv.n;
        return row;
    }
    row.full = {totals.fullMs, State::Exact, totals.floors.full};
    row.fastKv = {totals.fastKvMs, totals.fastKvState, totals.floors.fastKv};
    if (totals.composed) row.bound = totals.composed->bound;
    return row;
}

} // namespace

std::optional<double> TimingFigure::ratio() const {
    if (!full.value || !fastKv.value || *fastKv.value <= 0.0) return std::nullopt;
    return *full.value / *fastKv.value;
}

std::optional<double> TimingFigure::least() const {
    if (!full.value || !bound || *bound <= 0.0) return std::nullopt;
    return *full.value / *bound;
}

std::optional<double> TimingFigure::reached(const FigureSide& side) {
    if (!side.value || !side.floor || *side.value <= 0.0) return std::nullopt;
    return *side.floor / *side.value;
}

DecodeFloors decodeFloors(const trace::Run& run) {
    DecodeFloors floors;
    if (!run.timing.peaks || run.model.stepWeightBytes <= 0 || !run.fastkv) return floors;
    const auto ms = [&](std::int64_t kvBytes) {
        return static_cast<double>(run.model.stepWeightBytes + kvBytes) /
               run.timing.peaks->bytesPerSecond * 1e3;
    };
    floors.full = ms(run.fastkv->budgets.fullKvBytes);
    floors.fastKv = ms(run.fastkv->budgets.kvBytes);
    return floors;
}

std::vector<TimingFigure> timingFigures(const Shown& shown, const TimingBars& bars,
                                        const TimingTotals& totals) {
    const trace::RunPtr& run = shown.run();
    if (!run || !shown.asked()) return {};
    const State asked = shown.answersPending() ? State::Pending : State::Exact;
    const TimingFigure prefill = prefillOf(*run, totals);

    TimingFigure selection{.figure = Figure::Selection};
    const bool standalone = prefill.n > 0;
    selection.fastKv.state = prefill.fastKv.state;
    selection.fastKv.value =
        positive(standalone ? standaloneSelectionMs(*run)
                            : bars.fastKv[static_cast<std::size_t>(trace::ZoneGroup::Selection)]);

    TimingFigure decode{.figure = Figure::Decode};
    const DecodeFloors floors = decodeFloors(*run);
    if (run->fullAnswer) decode.full.value = positive(run->fullAnswer->msPerToken);
    if (run->fastkvAnswer) decode.fastKv.value = positive(run->fastkvAnswer->msPerToken);
    decode.full.floor = floors.full;
    decode.fastKv.floor = floors.fastKv;
    decode.fastKv.state = asked;

    const trace::Budgets& budgets = shown.asked()->budgets;
    TimingFigure kv{.figure = Figure::KvBytes};
    kv.full.value = positive(budgets.fullKvBytes);
    kv.fastKv.value = positive(budgets.kvBytes);

    TimingFigure peak{.figure = Figure::PeakBytes};
    peak.full.value = positive(run->counters.standaloneFullPeakBytes);
    peak.fastKv.value = positive(run->counters.standaloneFastKvPeakBytes);
    peak.fastKv.state = asked;
    return {prefill, selection, decode, kv, peak};
}

} // namespace fkv::viz
