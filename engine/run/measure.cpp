// SPDX-License-Identifier: Apache-2.0
#include "engine/run/measure.h"

#include "engine/run/gpu_sampling.h"
#include "engine/run/kernel_tracing.h"
#include "engine/run/standalone.h"
#include "engine/run/work.h"
#include "engine/select/budgets.h"

#include <algorithm>

namespace fkv::run {

namespace {

/// At the end of a run's clock.
void append(trace::Timing& to, const Stretch& more) {
    std::int64_t end = 0;
    for (const trace::Span& s : to.spans)
        end = std::max(end, s.endNs);
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

} // namespace

trace::RunPtr measureStandalone(SessionState& state, const MeasureRequest& request,
                                Observer& observer, const std::stop_token& stop) {
    const RunContext context{state.model, state.gate, stop};
    const trace::Settings& settings = request.analysed->fastkv->settings;
    trace::Settings fullSettings = settings;
    fullSettings.method = trace::Method::Full;
    const std::int64_t tokens = request.analysed->tokens();
    const trace::Budgets fullBudgets =
        select::computeBudgets(fullSettings, state.model.info(), tokens);
    const model::Scoring scoring = state.held.full.scoring;
    const std::span<const std::int32_t> ids = request.analysed->prompt->ids;
    Standalone full(context, {ids, fullBudgets, scoring});
    Standalone fastkv(context, {ids, request.analysed->fastkv->budgets, scoring});

    auto run = std::make_shared<trace::Run>(*request.analysed);
    int done = 0;
    const auto report = [&] {
        observer.progress(
            {"Measuring", static_cast<double>(done++) / (2.0 * request.repeats + 2.0)});
    };
    report();
    full.run();
    report();
    auto pass = std::make_shared<trace::FastKvPass>(*request.analysed->fastkv);
    pass->late = fastkv.runWithPlanes();
    pass->survivors = fastkv.survivors();
    pass->logits = fastkv.logits();
    pass->standalone = true;
    run->timing.standaloneFullMs.clear();
    run->timing.standaloneFastKvMs.clear();
    std::vector<trace::GpuSample> samples; // of the last one, as its spans
    for (int i = 0; i < request.repeats; ++i) {
        report();
        run->timing.standaloneFullMs.push_back(full.run());
        report();
        GpuSampling gpu(state.model.gpu());
        run->timing.standaloneFastKvMs.push_back(fastkv.run());
        samples = gpu.take();
    }
    run->timing.peaks = peaksOfGpu(state.model.backend());
    if (request.kernels) {
        const KernelTracing tracing(state.model.backend(), true);
        report();
        fastkv.run();
    }
    append(run->timing, {fastkv.spans(), 0, std::move(samples), fastkv.kernels()});
    const std::int64_t always =
        state.model.info().weightBytes + state.model.transformer().scratchBytes();
    run->counters.standaloneFullPeakBytes = always + full.bytes();
    run->counters.standaloneFastKvPeakBytes = always + fastkv.bytes();
    run->fastkv = pass;
    run->id = ++state.lastId;
    observer.published(run);
    return run;
}

} // namespace fkv::run
