// SPDX-License-Identifier: Apache-2.0
#include "engine/run/rerun.h"

#include "engine/run/decode_cache.h"
#include "engine/run/gpu_sampling.h"
#include "engine/run/kv_copy.h"
#include "engine/run/plane_capture.h"
#include "engine/run/restore_rows.h"
#include "engine/select/ranks.h"

#include <algorithm>

namespace fkv::run {

using model::kMostWindow;
using model::Transformer;
using trace::PassKind;
using trace::Zone;

namespace {

/// Layers after t; the planes and caches of the rerun.
void runLateLayers(const RunContext& context, const RerunRequest& request, HeldState& held,
                   const ops::View& x, PassScope& scope) {
    Transformer& transformer = context.transformer();
    HeldRerun& rerun = held.rerun;
    const model::Scoring& scoring = held.full.scoring;
    const int first = request.budgets.firstLate();
    const std::int64_t rows = x.rows;
    const std::int64_t scored = std::max<std::int64_t>(0, rows - scoring.window);
    rerun.layers.resize(static_cast<std::size_t>(context.layers() - first));
    const auto goes = [&](int l) {
        return !request.keepKv && request.budgets.layers[static_cast<std::size_t>(l)].cut();
    };
    model::LayerCache passing; // keys and values of layers whose own go
    for (int l = first; l < context.layers(); ++l) {
        HeldLayer& layer = rerun.layers[static_cast<std::size_t>(l - first)];
        if (goes(l)) layer.cache = {};
        resizeCache(transformer, goes(l) ? passing : layer.cache, rows, 0);
        if (!layer.lastQueries.buffer || layer.lastQueries.view.rows != std::min(kMostWindow, rows))
            layer.lastQueries = transformer.makeLastQueries(rows);
    }
    PlaneCapture capture(transformer, {context.layers() - first, scored, false});
    model::Scorer scorer(transformer, scored);
    for (int l = first; l < context.layers(); ++l) {
        if (request.progress) request.progress(l);
        scope.setLayer(l);
        const ScopedSpan span = scope.enclose(Zone::Layer, rows);
        HeldLayer& layer = rerun.layers[static_cast<std::size_t>(l - first)];
        const bool last = l + 1 == context.layers();
        ops::KvView& kv = goes(l) ? passing.kv : layer.cache.kv;
        transformer.runLayer({l, x, rerun.survivors, kv, 0,
                              last ? std::max<std::int64_t>(0, rows - kMostWindow) : 0,
                              layer.lastQueries.view},
                             scope);
        const auto& scores =
            scorer.run({layer.lastQueries.view, kv, scoring, !goes(l), l, rerun.survivors}, scope);
        capture.take(l - first, scores, scope);
        if (goes(l))
            scope.op(Zone::Gather, request.budgets.layers[static_cast<std::size_t>(l)].kept, [&] {
                keepBest(context, {l, kv, scores.ranks, request.budgets}, held);
            });
    }
    scope.setLayer(-1);
    rerun.late = capture.layers();
}

} // namespace

std::vector<std::int32_t> tspSurvivors(const trace::FullPass& full, const trace::Budgets& budgets) {
    if (!budgets.tspOn) return {};
    std::vector<std::int32_t> survivors =
        select::bestAscending(full.tspRanks->row(static_cast<std::size_t>(budgets.tspLayer)),
                              budgets.propagated - budgets.window);
    const auto window = consecutive(budgets.tokens - budgets.window, budgets.tokens);
    survivors.insert(survivors.end(), window.begin(), window.end());
    return survivors;
}

int rerunLayers(const HeldFull& full, const trace::Budgets& budgets, int layers) {
    if (!budgets.tspOn || budgets.firstLate() == layers) return 0;
    const Checkpoint* from = full.checkpoints.newest(budgets.tspLayer);
    return layers - 1 - (from ? from->layer : -1);
}

std::int64_t runRerun(const RunContext& context, const RerunRequest& request, HeldState& held) {
    const trace::Budgets& budgets = request.budgets;
    HeldRerun& rerun = held.rerun;
    rerun.complete = false;
    rerun.version = held.nextVersion();
    rerun.keptKv = request.keepKv;
    rerun.late.clear();
    SpanSink spans(context.model.backend().clock(), context.model.backend().kernelTracer(),
                   expectedSpans(context.transformer(), budgets.propagated));
    GpuSampling gpu(context.model.gpu());
    PassScope scope(spans, PassKind::FastKv, context.gate, context.stop);
    std::int64_t rows = 0;
    scope.op(Zone::Select, budgets.tokens,
             [&] { rerun.survivors = tspSurvivors(*held.full.planes, budgets); });
    rerun.positions = {};
    if (!budgets.tspOn || budgets.firstLate() == context.layers()) {
        // Prefill never reads the compressed cache: nothing is run, and the logits are the same.
        rerun.layers.clear();
        rerun.logits = held.full.planes->logits;
    } else {
        if (context.model.config().slides(budgets.tokens))
            rerun.positions = positionsOf(context.transformer(), rerun.survivors);
        const ops::Tensor x = context.transformer().makeRows(budgets.propagated);
        const ScopedSpan pass = scope.enclose(Zone::Pass, budgets.propagated);
        rows = restoreRows(context, {budgets.tspLayer, rerun.survivors, request.progress},
                           held.full, x.view, scope);
        rows += (context.layers() - budgets.firstLate()) * budgets.propagated;
        runLateLayers(context, request, held, x.view, scope);
        rerun.logits = context.transformer().lastLogits(x.view, scope);
    }
    rerun.stretch = {spans.take(), spans.nowNs(), gpu.take(), spans.takeKernels()};
    rerun.tspOn = budgets.tspOn;
    rerun.tspLayer = budgets.tspLayer;
    rerun.propagated = budgets.propagated;
    rerun.scoringVersion = held.full.scoringVersion;
    rerun.complete = true;
    return rows;
}

} // namespace fkv::run
