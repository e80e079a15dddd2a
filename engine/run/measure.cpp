// SPDX-License-Identifier: Apache-2.0
#include "engine/run/measure.h"

#include "engine/run/gpu_sampling.h"
#include "engine/run/kernel_tracing.h"
#include "engine/run/standalone.h"
#include "engine/run/timing.h"
#include "engine/run/work.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <memory>

namespace fkv::run {

namespace {

/// At the end of a run's clock.
void append(trace::Timing& to, const Stretch& more) {
    std::int64_t end = endOf(to.spans);
    if (!to.gpu.empty()) end = std::max(end, to.gpu.back().ns);
    trace::append(to.kernels, more.kernels, {end, to.spans.size()});
    for (trace::Span s : more.spans) {
        s.beginNs += end;
        s.endNs += end;
        to.spans.push_back(s);
    }
    for (trace::GpuSample s : more.gpu) {
        s.ns += end;
        to.gpu.push_back(s);
    }
}

/// Times both sides of a run on the deployed path.
class Measurement {
public:
    Measurement(SessionState& state, const MeasureRequest& request, Observer& observer,
                const std::stop_token& stop);
    trace::RunPtr run();

private:
    bool fullFits() const;
    bool bothFit() const;
    void inTurn();
    void apart();
    std::unique_ptr<Standalone> side(const trace::Budgets& budgets);
    void report();
    void timeFull(Standalone& full);
    void timeFastKv(Standalone& fastkv);
    void warmUp(Standalone& fastkv, bool planes);
    void finish(Standalone& fastkv);

    SessionState& m_state;
    const MeasureRequest& m_request;
    Observer& m_observer;
    RunContext m_context;
    const trace::FastKvPass& m_analysed;
    trace::Budgets m_fullBudgets;
    std::shared_ptr<trace::Run> m_run;
    std::shared_ptr<trace::FastKvPass> m_pass;
    std::vector<trace::GpuSample> m_samples; ///< of the last one, as its spans
    bool m_timesFull = false;
    int m_done = 0;
};

Measurement::Measurement(SessionState& state, const MeasureRequest& request, Observer& observer,
                         const std::stop_token& stop)
    : m_state(state),
      m_request(request),
      m_observer(observer),
      m_context{state.model, state.gate, stop},
      m_analysed(*request.analysed->fastkv),
      m_fullBudgets(select::computeBudgets(fullContext(m_analysed.settings), state.model.info(),
                                           request.analysed->tokens())),
      m_run(std::make_shared<trace::Run>(*request.analysed)),
      m_pass(std::make_shared<trace::FastKvPass>(m_analysed)) {
    m_run->timing.standaloneFullMs.clear();
    m_run->timing.standaloneFastKvMs.clear();
}

trace::RunPtr Measurement::run() {
    m_timesFull = fullFits();
    if (m_run->full && bothFit()) {
        inTurn();
    } else {
        m_state.held.release();
        apart();
    }
    m_run->fastkv = m_pass;
    m_run->id = ++m_state.lastId;
    m_observer.published(m_run);
    return m_run;
}

/// Full context that lies on the host is no deployed path.
bool Measurement::fullFits() const {
    if (!m_run->hasReference()) return false;
    const FitReport r = m_state.fit(m_run->tokens(), m_request.request);
    return r.roomBytes == 0 || r.totalBytes(r.full) <= r.roomBytes;
}

bool Measurement::bothFit() const {
    const FitReport r = m_state.fit(m_run->tokens(), m_request.request);
    const std::int64_t held = heldBy(m_state.model, m_state.held).deviceBytes,
                       always = r.weightBytes + m_state.model.transformer().scratchBytes();
    return r.roomBytes == 0 ||
           held + r.totalBytes(r.full) + r.totalBytes(r.fastkv) - 2 * always <= r.roomBytes;
}

std::unique_ptr<Standalone> Measurement::side(const trace::Budgets& budgets) {
    return std::make_unique<Standalone>(
        m_context, Standalone::Prompt{m_run->prompt->ids, budgets, scoringOf(m_analysed.settings)});
}

void Measurement::inTurn() {
    const auto full = side(m_fullBudgets), fastkv = side(m_analysed.budgets);
    report();
    full->run();
    warmUp(*fastkv, true);
    for (int i = 0; i < m_request.repeats; ++i) {
        timeFull(*full);
        timeFastKv(*fastkv);
    }
    finish(*fastkv);
}

void Measurement::apart() {
    if (m_timesFull) {
        const auto full = side(m_fullBudgets);
        report();
        full->run();
        for (int i = 0; i < m_request.repeats; ++i)
            timeFull(*full);
    }
    const auto fastkv = side(m_analysed.budgets);
    warmUp(*fastkv, m_run->full != nullptr);
    for (int i = 0; i < m_request.repeats; ++i)
        timeFastKv(*fastkv);
    finish(*fastkv);
}

void Measurement::report() {
    m_observer.progress({"Measuring", static_cast<double>(m_done++) /
                                          ((m_timesFull ? 2.0 : 1.0) * (m_request.repeats + 1.0))});
}

void Measurement::timeFull(Standalone& full) {
    report();
    m_run->timing.standaloneFullMs.push_back(full.run());
    m_run->counters.standaloneFullPeakBytes = peakOf(m_state.model, full);
}

void Measurement::warmUp(Standalone& fastkv, bool planes) {
    report();
    if (planes)
        m_pass->late = fastkv.runWithPlanes();
    else
        fastkv.run();
    m_pass->survivors = fastkv.survivors();
    m_pass->logits = fastkv.logits();
    m_pass->standalone = true;
}

void Measurement::timeFastKv(Standalone& fastkv) {
    report();
    GpuSampling gpu(m_state.model.gpu());
    m_run->timing.standaloneFastKvMs.push_back(fastkv.run());
    m_samples = gpu.take();
    m_run->counters.standaloneFastKvPeakBytes = peakOf(m_state.model, fastkv);
}

void Measurement::finish(Standalone& fastkv) {
    m_run->timing.peaks = peaksOfGpu(m_state.model.backend());
    if (m_request.request.kernels) {
        const KernelTracing tracing(m_state.model.backend(), true);
        report();
        fastkv.run();
    }
    append(m_run->timing, {fastkv.spans(), 0, std::move(m_samples), fastkv.kernels()});
}

} // namespace

trace::RunPtr measureStandalone(SessionState& state, const MeasureRequest& request,
                                Observer& observer, const std::stop_token& stop) {
    return Measurement(state, request, observer, stop).run();
}

} // namespace fkv::run
