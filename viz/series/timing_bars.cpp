// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/timing_bars.h"

#include "viz/series/gpu_text.h"

#include <algorithm>

namespace fkv::viz {

using trace::PassKind;
using trace::State;
using trace::Zone;
using trace::ZoneGroup;

namespace {

/// Timers of one run scatter by about this much; less is no reason to call a ratio suspicious.
constexpr double kTimerScatter = 0.02;

std::size_t at(ZoneGroup group) {
    return static_cast<std::size_t>(group);
}

void add(GroupMs& to, const GroupMs& what) {
    for (std::size_t g = 0; g < to.size(); ++g)
        to[g] += what[g];
}

/// Spans of one pass, summed: [L] and what lies outside layers.
struct PassSpans {
    std::vector<GroupMs> layers;
    std::vector<std::int64_t> rows; ///< [L] rows that the layer was computed for; 0: it was not
    GroupMs outside{};
    double headMs = 0.0; ///< of what lies outside
    bool any = false;
};

PassSpans spansOf(const trace::Run& run, PassKind pass) {
    PassSpans sum;
    sum.layers.resize(static_cast<std::size_t>(std::max(0, run.model.layers)));
    sum.rows.resize(sum.layers.size());
    for (const trace::Span& span : run.timing.spans) {
        if (span.pass != pass || span.zone == Zone::Layer || span.zone == Zone::Pass) continue;
        const double ms = static_cast<double>(span.durationNs()) * 1e-6;
        const bool inside =
            span.layer >= 0 && static_cast<std::size_t>(span.layer) < sum.layers.size();
        const auto l = static_cast<std::size_t>(span.layer);
        (inside ? sum.layers[l] : sum.outside)[at(trace::groupOf(span.zone))] += ms;
        if (inside && span.zone == Zone::OutProj) sum.rows[l] += span.tokens;
        if (!inside && span.zone == Zone::Head) sum.headMs += ms;
        sum.any = true;
    }
    return sum;
}

/// Of a FastKV pass through all layers, those after its TSP.
PassSpans lateOf(PassSpans spans, const trace::Run& run) {
    const int first = run.fastkv ? run.fastkv->budgets.firstLate() : 0;
    for (int l = 0; l < std::min(first, run.model.layers); ++l) {
        spans.layers[static_cast<std::size_t>(l)] = {};
        spans.rows[static_cast<std::size_t>(l)] = 0;
    }
    return spans;
}

GroupMs without(ZoneGroup group, GroupMs ms) {
    ms[at(group)] = 0.0;
    return ms;
}

GroupMs withoutCapture(const GroupMs& ms) {
    return without(ZoneGroup::Instrument, ms);
}

/// A late layer measured over `from` rows, as it would be over `to`: attention grows with the
/// pairs, all else with the rows.
GroupMs scaledTo(GroupMs ms, std::int64_t from, std::int64_t to) {
    if (from <= 0 || from == to) return ms;
    const double rows = static_cast<double>(to) / static_cast<double>(from);
    const double pairs = rows * (static_cast<double>(to) + 1.0) / (static_cast<double>(from) + 1.0);
    for (std::size_t g = 0; g < ms.size(); ++g)
        ms[g] *= g == at(ZoneGroup::Attention) ? pairs : rows;
    return ms;
}

/// Late layers of a setting that was not run: those of the rerun that was, scaled; a layer that it
/// did not run costs what its late layers cost on average, since all have one shape.
struct LatePreview {
    const PassSpans& rerun;
    std::int64_t rerunTokens = 0;
    GroupMs average{};
    double count = 0.0;

    LatePreview(const PassSpans& spans, const trace::Run& run) : rerun(spans) {
        if (!run.fastkv || !run.fastkv->budgets.tspOn) return;
        rerunTokens = run.fastkv->budgets.propagated;
        for (std::size_t l = 0; l < spans.layers.size(); ++l)
            if (spans.rows[l] > 0) {
                add(average, spans.layers[l]);
                ++count;
            }
        for (double& ms : average)
            ms /= std::max(count, 1.0);
    }
    GroupMs layer(std::size_t l, std::int64_t tokens, const GroupMs& full,
                  std::int64_t fullTokens) const {
        if (count == 0.0) return scaledTo(full, fullTokens, tokens);
        return scaledTo(rerun.rows[l] > 0 ? rerun.layers[l] : average, rerunTokens, tokens);
    }
};

std::optional<Speedup> speedup(std::optional<double> full, std::optional<double> fast,
                               State state) {
    if (!full || !fast || *fast <= 0.0) return std::nullopt;
    return Speedup{*full / *fast, state, std::nullopt};
}

PrefillFloors floorsOf(const trace::Run& run, const trace::Fate& fate) {
    PrefillFloors floors;
    const auto& peaks = run.timing.peaks;
    if (!peaks || run.model.hidden == 0 || run.model.intermediate == 0) return floors;
    const auto ms = [&](const PassRows& rows) {
        const LayerFlop flop = passFlop(run.model, rows);
        return (flop.linear() + flop.attention) / peaks->flopPerSecond * 1e3;
    };
    floors.standaloneFull = ms(standaloneFullRows(fate.budgets));
    floors.standaloneFastKv = ms(standaloneRows(fate.budgets, fate.survivors));
    floors.full = run.full ? ms(fullRows(run.model.layers, run.tokens())) : floors.standaloneFull;
    floors.fastKv = run.full ? ms(composedRows(fate.budgets)) : floors.standaloneFastKv;
    return floors;
}

} // namespace

double sumOf(const GroupMs& ms) {
    double sum = 0.0;
    for (const ZoneGroup group : kBarStack)
        sum += ms[at(group)];
    return sum;
}

TimingBars timingBars(const trace::Run& run, const trace::Fate& fate) {
    TimingBars bars;
    const PassSpans full = spansOf(run, PassKind::Full);
    if (!full.any) return bars;
    // On the deployed path FastKV runs every layer, in the instrument only those after TSP.
    const bool deployed = !run.full;
    const PassSpans own = spansOf(run, PassKind::FastKv);
    const PassSpans rerun = deployed ? lateOf(own, run) : own;
    const trace::Budgets& budgets = fate.budgets;
    const bool measured = run.fastkv && run.fastkv->settings.samePrefill(fate.settings);
    const LatePreview preview(rerun, run);
    const auto rates = zoneRates(run);
    const auto least = rates ? costAt(*rates, run.model, composedRows(budgets))
                             : std::vector<GroupMs>(full.layers.size());
    const auto whole = rates ? costAt(*rates, run.model, fullRows(run.model.layers, run.tokens()))
                             : std::vector<GroupMs>(full.layers.size());
    for (std::size_t l = 0; l < full.layers.size(); ++l) {
        LayerBars bar;
        bar.least = least[l];
        GroupMs selecting = withoutCapture(full.layers[l]);
        bars.captureMs += full.layers[l][at(ZoneGroup::Instrument)];
        if (full.rows[l] > 0 && full.rows[l] < run.tokens()) {
            selecting = whole[l];
            bar.fullState = State::Preview;
        }
        bar.full = without(ZoneGroup::Selection, selecting);
        if (deployed && measured) {
            bar.fastKv = withoutCapture(own.layers[l]);
            bar.fullState = State::Exact;
            bar.full = withoutCapture(full.layers[l]);
        } else if (static_cast<int>(l) < budgets.firstLate()) {
            bar.fastKv = selecting;
            bar.fastKvState = bar.fullState;
            // Gathering its cache is all that the rerun does in an early layer.
            if (rerun.rows[l] == 0) add(bar.fastKv, withoutCapture(rerun.layers[l]));
        } else if (measured && rerun.any) {
            bar.fastKv = withoutCapture(rerun.layers[l]);
        } else {
            bar.fastKv =
                withoutCapture(preview.layer(l, budgets.propagated, selecting, run.tokens()));
            bar.fastKvState = State::Preview;
        }
        bars.mostMs = std::max({bars.mostMs, sumOf(bar.full), sumOf(bar.fastKv)});
        add(bars.full, bar.full);
        add(bars.fastKv, bar.fastKv);
        bars.layers.push_back(bar);
    }
    if (deployed && measured) {
        add(bars.full, full.outside);
        add(bars.fastKv, own.outside);
        return bars;
    }
    bars.captureMs += full.outside[at(ZoneGroup::Instrument)];
    add(bars.full, without(ZoneGroup::Selection, withoutCapture(full.outside)));
    // Both embed once; the rerun has a head of its own.
    add(bars.fastKv, withoutCapture(full.outside));
    if (!budgets.tspOn || !rerun.any) return bars;
    add(bars.fastKv, withoutCapture(rerun.outside));
    if (rerun.headMs > 0.0) bars.fastKv[at(ZoneGroup::Other)] -= full.headMs;
    return bars;
}

Spread spreadOf(std::vector<double> values) {
    Spread spread;
    if (values.empty()) return spread;
    std::sort(values.begin(), values.end());
    spread.n = static_cast<int>(values.size());
    spread.least = values.front();
    spread.most = values.back();
    const std::size_t middle = values.size() / 2;
    spread.median =
        values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
    return spread;
}

bool Speedup::suspicious() const {
    return bound && ratio > *bound * (1.0 + kTimerScatter);
}

TimingTotals timingTotals(const trace::Run& run, const trace::Fate& fate, const TimingBars& bars) {
    TimingTotals totals;
    const trace::Timing& timing = run.timing;
    const bool measured = run.fastkv && run.fastkv->settings.samePrefill(fate.settings);
    totals.fullMs = timing.fullPrefillMs;
    if (timing.fullPrefillMs && timing.fullPrefillWithCaptureMs)
        totals.captureMs = std::max(0.0, *timing.fullPrefillWithCaptureMs - *timing.fullPrefillMs);
    else if (bars.captureMs > 0.0)
        totals.captureMs = bars.captureMs;
    if (measured) {
        totals.fastKvMs = timing.fastKvPrefillMs;
        totals.fastKvState = timing.fastKvState;
        totals.standaloneFastKv = spreadOf(timing.standaloneFastKvMs);
    } else if (!bars.layers.empty()) {
        totals.fastKvMs = sumOf(bars.fastKv);
        totals.fastKvState = State::Preview;
    }
    totals.standaloneFull = spreadOf(timing.standaloneFullMs);
    totals.composed = speedup(totals.fullMs, totals.fastKvMs, totals.fastKvState);
    if (totals.standaloneFull.n > 0 && totals.standaloneFastKv.n > 0)
        totals.standalone =
            speedup(totals.standaloneFull.median, totals.standaloneFastKv.median, State::Exact);

    const bool deployed = !run.full;
    const PassRows all = deployed ? standaloneFullRows(fate.budgets)
                                  : fullRows(run.model.layers, run.tokens());
    const PassRows composed =
        deployed ? standaloneRows(fate.budgets, fate.survivors) : composedRows(fate.budgets);
    totals.fullWork = passFlop(run.model, all);
    totals.fastKvWork = passFlop(run.model, composed);
    totals.peaks = timing.peaks;
    totals.clocksLimited = clocksLimited(timing.gpu);
    totals.floors = floorsOf(run, fate);
    const auto rates = zoneRates(run);
    if (!rates) return totals;
    // Two passes of their own, each run once: what came between them is in the ratio, and the bound
    // would accuse it.
    if (totals.composed && !deployed)
        totals.composed->bound = totalCostAt(*rates, run.model, all, false) /
                                 totalCostAt(*rates, run.model, composed, true);
    if (totals.standalone)
        totals.standalone->bound =
            totalCostAt(*rates, run.model, standaloneFullRows(fate.budgets), false) /
            totalCostAt(*rates, run.model, standaloneRows(fate.budgets, fate.survivors), true);
    return totals;
}

} // namespace fkv::viz
