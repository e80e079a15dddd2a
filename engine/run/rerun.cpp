// SPDX-License-Identifier: Apache-2.0
#include "engine/run/rerun.h"

#include "engine/run/gpu_sampling.h"
#include "engine/run/kv_copy.h"
#include "engine/run/plane_capture.h"
#include "engine/select/ranks.h"

#include <algorithm>

namespace fkv::run {

using model::kMostWindow;
using model::Transformer;
using trace::PassKind;
using trace::Zone;

namespace {

/// Newest layer up to t whose output is held; -1: the embeddings.
int nearestCheckpoint(const HeldFull& full, int tspLayer) {
    const auto after =
        std::upper_bound(full.checkpointLayers.begin(), full.checkpointLayers.end(), tspLayer);
    return after == full.checkpointLayers.begin() ? -1 : *(after - 1);
}

/// Hidden states of the survivors after layer t.
void survivorsAfterTsp(const RunContext& context, const RerunRequest& request,
                       const HeldState& held, const ops::View& x, PassScope& scope) {
    Transformer& transformer = context.transformer();
    const std::vector<std::int32_t>& survivors = held.rerun.survivors;
    const int t = request.budgets.tspLayer;
    const int from = nearestCheckpoint(held.full, t);
    if (from >= 0) {
        const auto index =
            std::find(held.full.checkpointLayers.begin(), held.full.checkpointLayers.end(), from) -
            held.full.checkpointLayers.begin();
        const ops::View& rows = held.full.checkpoints[static_cast<std::size_t>(index)].view;
        scope.op(Zone::Gather, x.rows, [&] {
            transformer.backend().gatherRows({rows, survivors, x});
        });
    }
    // What follows stands in for a checkpoint that was given up; the deployed path has none of it.
    scope.setInstead(Zone::Checkpoint);
    if (from < 0) {
        std::vector<std::int32_t> ids;
        for (const std::int32_t position : survivors)
            ids.push_back(held.full.ids[static_cast<std::size_t>(position)]);
        transformer.embed(ids, x, scope);
    }
    std::vector<std::int32_t> visible = survivors;
    for (std::int32_t& tokens : visible)
        ++tokens;
    for (int layer = from + 1; layer <= t; ++layer) {
        if (request.progress) request.progress(layer);
        scope.setLayer(layer);
        transformer.runRows({layer, x, survivors, visible,
                             held.full.layers[static_cast<std::size_t>(layer)].cache.kv},
                            scope);
    }
    scope.resetInstead();
    scope.setLayer(-1);
}

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
    for (HeldLayer& layer : rerun.layers) {
        resizeCache(transformer, layer.cache, rows, 0);
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
        transformer.runLayer({l, x, rerun.survivors, layer.cache.kv, 0,
                              last ? std::max<std::int64_t>(0, rows - kMostWindow) : 0,
                              layer.lastQueries.view},
                             scope);
        capture.take(l - first,
                     scorer.run({layer.lastQueries.view, layer.cache.kv, scoring, true, l,
                                 rerun.survivors},
                                scope),
                     scope);
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
    return layers - 1 - nearestCheckpoint(full, budgets.tspLayer);
}

std::int64_t runRerun(const RunContext& context, const RerunRequest& request, HeldState& held) {
    const trace::Budgets& budgets = request.budgets;
    HeldRerun& rerun = held.rerun;
    rerun.complete = false;
    rerun.late.clear();
    SpanSink spans(context.model.backend().clock(), context.model.backend().kernelTracer(),
                   expectedSpans(context.transformer(), budgets.propagated));
    GpuSampling gpu(context.model.gpu());
    PassScope scope(spans, PassKind::FastKv, context.gate, context.stop);
    const int layers = rerunLayers(held.full, budgets, context.layers());
    scope.op(Zone::Select, budgets.tokens,
             [&] { rerun.survivors = tspSurvivors(*held.full.planes, budgets); });
    rerun.positions = {};
    if (layers == 0) {
        // Prefill never reads the compressed cache: nothing is run, and the logits are the same.
        rerun.layers.clear();
        rerun.logits = held.full.planes->logits;
    } else {
        if (context.model.config().slides(budgets.tokens))
            rerun.positions = positionsOf(context.transformer(), rerun.survivors);
        const ops::Tensor x = context.transformer().makeRows(budgets.propagated);
        const ScopedSpan pass = scope.enclose(Zone::Pass, budgets.propagated);
        survivorsAfterTsp(context, request, held, x.view, scope);
        runLateLayers(context, request, held, x.view, scope);
        rerun.logits = context.transformer().lastLogits(x.view, scope);
    }
    rerun.stretch = {spans.take(), spans.nowNs(), gpu.take(), spans.takeKernels()};
    rerun.tspOn = budgets.tspOn;
    rerun.tspLayer = budgets.tspLayer;
    rerun.propagated = budgets.propagated;
    rerun.scoringVersion = held.full.scoringVersion;
    rerun.version = held.nextVersion();
    rerun.complete = true;
    return layers * budgets.propagated;
}

} // namespace fkv::run
