// SPDX-License-Identifier: Apache-2.0
#include "engine/run/full_pass.h"

#include "engine/run/checkpoint_plan.h"
#include "engine/run/gpu_sampling.h"
#include "engine/run/held_kv.h"
#include "engine/run/kv_copy.h"
#include "engine/run/memory.h"
#include "engine/run/plane_capture.h"

#include <algorithm>

namespace fkv::run {

using model::kMostWindow;
using model::Transformer;
using trace::PassKind;
using trace::Zone;

namespace {

void reduceTo(const RunContext& context, const CheckpointPlan& plan, CheckpointCosts costs,
              HeldFull& held) {
    costs.tokens = static_cast<std::int64_t>(held.ids.size());
    held.checkpoints.reduce(context.transformer(), plan, costs,
                            held.complete ? held.planes->tspRanks.get() : nullptr);
}

/// Brings `held` into the shape of the new prompt with its first rows kept; returns how many.
std::int64_t prepare(const RunContext& context, const FullPassRequest& request, HeldFull& held) {
    Transformer& transformer = context.transformer();
    const auto tokens = static_cast<std::int64_t>(request.ids.size());
    std::int64_t kept = restartRow(context, held, request.ids);
    const CheckpointCosts costs = checkpointCosts(context.model, tokens, request.checkpointBudget);
    const CheckpointPlan plan = checkpointPlan(costs);
    if (!held.checkpoints.cover(plan)) kept = 0;
    if (kept > 0) reduceTo(context, plan, costs, held);
    held.checkpointBudget = request.checkpointBudget;
    held.complete = false;
    held.planes = nullptr;
    held.ids.resize(static_cast<std::size_t>(kept));
    const std::int64_t capacity = heldCapacity(context.model, tokens);
    // Nothing of it is needed: memory of another size goes back before new is taken.
    if (kept == 0 && !held.layers.empty() && held.layers.front().cache.kv.capacity != capacity) {
        held.layers.clear();
        held.checkpoints = {};
    }
    placeKv(context, held, request.kvPlace, capacity, kept);
    for (HeldLayer& layer : held.layers) {
        if (!layer.lastQueries.buffer ||
            layer.lastQueries.view.rows != std::min(kMostWindow, tokens))
            layer.lastQueries = transformer.makeLastQueries(tokens);
    }
    held.checkpoints.prepare(context, plan, costs, kept);
    return kept;
}

/// A pass over rows [held.ids.size(), N) of all layers.
std::vector<float> runRowsOfAllLayers(const RunContext& context, const FullPassRequest& request,
                                      HeldFull& held, PlaneCapture& capture, PassScope& scope) {
    Transformer& transformer = context.transformer();
    const auto tokens = static_cast<std::int64_t>(request.ids.size());
    const auto from = static_cast<std::int64_t>(held.ids.size());
    const std::int64_t rows = tokens - from;
    const std::vector<std::int32_t> positions = consecutive(from, tokens);
    const ops::Tensor x = transformer.makeRows(rows);
    model::Scorer scorer(transformer, tokens - request.scoring.window);
    CheckpointWriter checkpoints(transformer, held.checkpoints, from);
    const ScopedSpan pass = scope.enclose(Zone::Pass, rows);
    transformer.embed(request.ids.subspan(held.ids.size()), x.view, scope);
    for (int l = 0; l < context.layers(); ++l) {
        if (request.progress) request.progress(l);
        scope.setLayer(l);
        const ScopedSpan span = scope.enclose(Zone::Layer, rows);
        HeldLayer& layer = held.layers[static_cast<std::size_t>(l)];
        // Of the last layer only the window's queries and the last row are read.
        const bool last = l + 1 == context.layers();
        const std::int64_t live = last ? std::max<std::int64_t>(0, rows - kMostWindow) : 0;
        ops::KvView& kv = nearKv(context, held, l, from, scope);
        transformer.runLayer({l, x.view, positions, kv, from, live, layer.lastQueries.view}, scope);
        const auto& scores = scorer.run(
            {layer.lastQueries.view, kv, request.scoring, !checkpoints.ranked(), l}, scope);
        keepKv(context, held, l, from, scope);
        capture.take(l, scores, scope);
        checkpoints.write(l, x.view, scores.tspRanks, scope);
    }
    scope.setLayer(-1);
    return transformer.lastLogits(x.view, scope);
}

std::shared_ptr<trace::FullPass> planesOf(PlaneCapture& capture, const model::Scoring& scoring) {
    auto planes = std::make_shared<trace::FullPass>();
    planes->window = scoring.window;
    planes->kernel = scoring.kernel;
    planes->pooling = scoring.average ? trace::Pooling::Average : trace::Pooling::Max;
    planes->layers = capture.layers();
    planes->tspRanks = capture.tspRanks();
    planes->mass = capture.mass();
    planes->notANumber = capture.notANumber();
    return planes;
}

std::int64_t scoredTokens(std::int64_t tokens, const model::Scoring& scoring) {
    return std::max<std::int64_t>(0, tokens - scoring.window);
}

} // namespace

std::int64_t restartRow(const RunContext& context, const HeldFull& held,
                        std::span<const std::int32_t> ids) {
    const auto difference = std::mismatch(held.ids.begin(), held.ids.end(), ids.begin(), ids.end());
    const auto common = static_cast<std::int64_t>(difference.second - ids.begin());
    // The newest queries are made again, so all of them have to lie in rows that are run.
    const auto tokens = static_cast<std::int64_t>(ids.size());
    const std::int64_t row = std::max<std::int64_t>(0, std::min(common, tokens - kMostWindow));
    const std::int64_t chunk = context.transformer().chunkRows();
    return row / chunk * chunk;
}

bool holdsCheckpoints(const RunContext& context, const CheckpointBudget& budget,
                      const HeldFull& held) {
    return held.checkpoints.cover(checkpointPlan(
        checkpointCosts(context.model, static_cast<std::int64_t>(held.ids.size()), budget)));
}

void dropCheckpoints(const RunContext& context, const CheckpointBudget& budget, HeldFull& held) {
    const CheckpointCosts costs =
        checkpointCosts(context.model, static_cast<std::int64_t>(held.ids.size()), budget);
    reduceTo(context, checkpointPlan(costs), costs, held);
    held.checkpointBudget = budget;
}

std::int64_t runFullPass(const RunContext& context, const FullPassRequest& request,
                         HeldState& held) {
    HeldFull& full = held.full;
    const std::int64_t from = prepare(context, request, full);
    if (from == 0) {
        // Another prompt: what was made from the old one is of no use and may be far larger.
        held.rerun = {};
        held.compressed = {};
        held.tails = {};
    }
    const auto tokens = static_cast<std::int64_t>(request.ids.size());
    PlaneCapture capture(context.transformer(),
                         {context.layers(), scoredTokens(tokens, request.scoring), true});
    SpanSink spans(context.model.backend().clock(), context.model.backend().kernelTracer(),
                   expectedSpans(context.transformer(), tokens - from));
    GpuSampling gpu(context.model.gpu());
    PassScope scope(spans, PassKind::Full, context.gate, context.stop);
    std::vector<float> logits = runRowsOfAllLayers(context, request, full, capture, scope);
    const auto planes = planesOf(capture, request.scoring);
    planes->logits = std::move(logits);
    full.ids.assign(request.ids.begin(), request.ids.end());
    full.planes = planes;
    full.scoring = request.scoring;
    full.reusedTokens = from;
    full.stretch = {spans.take(), spans.nowNs(), gpu.take(), spans.takeKernels()};
    full.version = full.scoringVersion = held.nextVersion();
    full.complete = true;
    return tokens - from;
}

void scoreAnew(const RunContext& context, const model::Scoring& scoring, HeldState& held) {
    HeldFull& full = held.full;
    const auto tokens = static_cast<std::int64_t>(full.ids.size());
    PlaneCapture capture(context.transformer(),
                         {context.layers(), scoredTokens(tokens, scoring), true});
    model::Scorer scorer(context.transformer(), tokens - scoring.window);
    SpanSink spans(context.model.backend().clock(), expectedSpans(context.transformer(), 0));
    PassScope scope(spans, PassKind::Full, context.gate, context.stop);
    for (int l = 0; l < context.layers(); ++l) {
        const HeldLayer& layer = full.layers[static_cast<std::size_t>(l)];
        const ops::KvView& kv = nearKv(context, full, l, tokens, scope);
        capture.take(l, scorer.run({layer.lastQueries.view, kv, scoring, true, l}, scope), scope);
    }
    const auto planes = planesOf(capture, scoring);
    planes->logits = full.planes->logits;
    full.planes = planes;
    full.scoring = scoring;
    full.scoringVersion = held.nextVersion();
}

} // namespace fkv::run
