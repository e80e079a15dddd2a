// SPDX-License-Identifier: Apache-2.0
#include "engine/run/timing.h"

#include <algorithm>

namespace fkv::run {

using trace::PassKind;
using trace::Span;
using trace::Zone;
using trace::ZoneGroup;

namespace {

bool encloses(const Span& s) {
    return s.zone == Zone::Layer || s.zone == Zone::Pass;
}

/// Milliseconds of the spans that `wanted` picks.
template <class Wanted>
double sumMs(const std::vector<Span>& spans, const Wanted& wanted) {
    std::int64_t ns = 0;
    for (const Span& s : spans)
        if (!encloses(s) && wanted(s)) ns += s.durationNs();
    return static_cast<double>(ns) * 1e-6;
}

/// Lays stretches end to end.
class Clock {
public:
    explicit Clock(trace::Timing& timing) : m_timing(timing) {}
    void append(const Stretch& stretch) {
        trace::append(m_timing.kernels, stretch.kernels, {m_nowNs, m_timing.spans.size()});
        for (Span span : stretch.spans) {
            span.beginNs += m_nowNs;
            span.endNs += m_nowNs;
            m_timing.spans.push_back(span);
        }
        for (trace::GpuSample sample : stretch.gpu) {
            sample.ns = m_nowNs + std::min(sample.ns, stretch.durationNs);
            m_timing.gpu.push_back(sample);
        }
        m_nowNs += stretch.durationNs;
    }

private:
    trace::Timing& m_timing;
    std::int64_t m_nowNs = 0;
};

/// Gathering of the layers that are really cut, one after the other. A cache that serves as a
/// longer one's prefix keeps the longer one's time.
Stretch gathering(const HeldCompressed& compressed, const trace::Budgets& budgets) {
    Stretch stretch;
    for (std::size_t l = 0; l < compressed.layers.size(); ++l) {
        const trace::LayerBudget& budget = budgets.layers[l];
        // What was gathered while the layer ran is in the rerun's spans.
        if (!budget.cut() || compressed.layers[l].gatherNs == 0) continue;
        const std::int64_t begin = stretch.durationNs;
        stretch.durationNs += compressed.layers[l].gatherNs;
        stretch.spans.push_back({begin, stretch.durationNs, Zone::Gather, PassKind::FastKv,
                                 static_cast<std::int16_t>(l), 0,
                                 static_cast<std::int32_t>(budget.kept)});
    }
    return stretch;
}

/// FastKV's share of the full pass: layers up to t with selection, and what stands before the
/// layers.
bool inFastKv(const Span& s, int firstLate) {
    return !trace::isInstrument(s.zone) && s.layer < firstLate && s.zone != Zone::Head;
}

} // namespace

double opMilliseconds(const std::vector<Span>& spans) {
    return sumMs(spans, [](const Span&) { return true; });
}

std::int64_t endOf(const std::vector<Span>& spans) {
    std::int64_t end = 0;
    for (const Span& s : spans)
        end = std::max(end, s.endNs);
    return end;
}

trace::Timing deployedTiming(const DeployedSides& sides, double loadMs) {
    trace::Timing timing;
    timing.loadMs = loadMs;
    timing.fastKvState = trace::State::Exact;
    Clock clock(timing);
    for (const HeldSide* side : {sides.full, sides.fastkv}) {
        if (side == nullptr) continue;
        (side == sides.full ? timing.fullPrefillMs : timing.fastKvPrefillMs) = side->prefillMs;
        clock.append(side->prefill);
        clock.append(side->answer.stretch);
    }
    return timing;
}

trace::Timing composeTiming(const HeldState& held, const TimedParts& parts, double loadMs) {
    trace::Timing timing;
    timing.loadMs = loadMs;
    timing.reusedTokens = held.full.reusedTokens;
    Clock clock(timing);
    const std::vector<Span>& full = held.full.stretch.spans;
    clock.append(held.full.stretch);
    if (timing.reusedTokens == 0) {
        // What runs beside the pass does not lengthen it.
        timing.fullPrefillWithCaptureMs = sumMs(full, [](const Span& s) { return s.lane == 0; });
        timing.fullPrefillMs = sumMs(full, [](const Span& s) {
            return !trace::isInstrument(s.zone) && groupOf(s.zone) != ZoneGroup::Selection;
        });
    }
    const int firstLate = parts.budgets.firstLate();
    Stretch gathered;
    if (parts.rerun) {
        clock.append(held.rerun.stretch);
        timing.rerunMs = sumMs(held.rerun.stretch.spans,
                               [](const Span& s) { return !trace::isInstrument(s.zone); });
        if (parts.caches) clock.append(gathered = gathering(held.compressed, parts.budgets));
    }
    if (parts.rerun && parts.caches && timing.reusedTokens == 0) {
        const bool anyLate = firstLate < static_cast<int>(parts.budgets.layers.size());
        timing.fastKvPrefillMs =
            sumMs(full,
                  [&](const Span& s) {
                      return inFastKv(s, firstLate) ||
                             (!anyLate && s.zone == Zone::Head); // else the rerun has its own
                  }) +
            *timing.rerunMs + sumMs(gathered.spans, [](const Span&) { return true; });
    }
    if (parts.fullAnswer) clock.append(held.fullAnswer.stretch);
    if (parts.answer) clock.append(held.answer.stretch);
    return timing;
}

} // namespace fkv::run
