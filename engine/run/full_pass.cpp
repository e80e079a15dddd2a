// SPDX-License-Identifier: Apache-2.0
#include "engine/run/full_pass.h"

#include "engine/run/checkpoint_plan.h"
#include "engine/run/gpu_sampling.h"
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

/// Rows that are copied between two looks at the stop token.
constexpr std::int64_t kCopyRows = 4096;

/// Lets go of checkpoints that are not planned. False when one is missing.
bool keepPlanned(HeldFull& held, const std::vector<std::int32_t>& planned) {
    std::vector<ops::Tensor> kept;
    for (const std::int32_t layer : planned) {
        const auto found =
            std::find(held.checkpointLayers.begin(), held.checkpointLayers.end(), layer);
        if (found == held.checkpointLayers.end()) return false;
        kept.push_back(
            held.checkpoints[static_cast<std::size_t>(found - held.checkpointLayers.begin())]);
    }
    held.checkpointLayers = planned;
    held.checkpoints = std::move(kept);
    return true;
}

void resizeRows(Transformer& transformer, ops::Tensor& rows, std::int64_t capacity,
                std::int64_t kept) {
    if (rows.buffer && rows.view.rows == capacity) return;
    ops::Tensor resized = transformer.makeRows(capacity);
    if (kept > 0)
        transformer.backend().copy(resized.view.rowsFrom(0, kept), rows.view.rowsFrom(0, kept));
    rows = std::move(resized);
}

/// Brings `held` into the shape of the new prompt with its first rows kept; returns how many.
std::int64_t prepare(const RunContext& context, const FullPassRequest& request, HeldFull& held) {
    Transformer& transformer = context.transformer();
    const auto tokens = static_cast<std::int64_t>(request.ids.size());
    std::int64_t kept = restartRow(context, held, request.ids);
    held.complete = false;
    held.planes = nullptr;
    held.ids.resize(static_cast<std::size_t>(kept));
    const auto planned =
        checkpointPlan(checkpointCosts(context.model, tokens, request.checkpointBudgetBytes));
    held.checkpointBudgetBytes = request.checkpointBudgetBytes;
    if (!keepPlanned(held, planned)) kept = 0;
    const std::int64_t capacity = heldCapacity(context.model, tokens);
    if (kept == 0) {
        held.ids.clear();
        // Nothing of it is needed: memory of another size goes back before new is taken.
        if (!held.layers.empty() && held.layers.front().cache.kv.capacity != capacity) {
            held.layers.clear();
            held.checkpoints.clear();
        }
        held.checkpointLayers = planned;
        held.checkpoints.resize(planned.size());
    }
    held.layers.resize(static_cast<std::size_t>(context.layers()));
    for (HeldLayer& layer : held.layers) {
        context.gate.pass(context.stop);
        resizeCache(transformer, layer.cache, capacity, kept);
        if (!layer.lastQueries.buffer ||
            layer.lastQueries.view.rows != std::min(kMostWindow, tokens))
            layer.lastQueries = transformer.makeLastQueries(tokens);
    }
    for (ops::Tensor& rows : held.checkpoints) {
        context.gate.pass(context.stop);
        resizeRows(transformer, rows, capacity, kept);
    }
    return kept;
}

/// The rows of x after `layer` to their checkpoint, if there is one.
void writeCheckpoint(const RunContext& context, HeldFull& held, int layer, const ops::View& x,
                     PassScope& scope) {
    const auto found = std::find(held.checkpointLayers.begin(), held.checkpointLayers.end(), layer);
    if (found == held.checkpointLayers.end()) return;
    const std::int64_t from = static_cast<std::int64_t>(held.ids.size());
    const ops::View& to =
        held.checkpoints[static_cast<std::size_t>(found - held.checkpointLayers.begin())].view;
    for (std::int64_t begin = 0; begin < x.rows; begin += kCopyRows) {
        const std::int64_t rows = std::min(kCopyRows, x.rows - begin);
        scope.op(Zone::Checkpoint, rows, [&] {
            context.transformer().backend().copy(to.rowsFrom(from + begin, rows),
                                                 x.rowsFrom(begin, rows));
        });
    }
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
        transformer.runLayer(
            {l, x.view, positions, layer.cache.kv, from, live, layer.lastQueries.view}, scope);
        capture.take(
            l,
            scorer.run({layer.lastQueries.view, layer.cache.kv, request.scoring, true, l}, scope),
            scope);
        writeCheckpoint(context, held, l, x.view, scope);
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

bool holdsCheckpoints(const RunContext& context, std::int64_t budgetBytes, const HeldFull& held) {
    const auto planned = checkpointPlan(
        checkpointCosts(context.model, static_cast<std::int64_t>(held.ids.size()), budgetBytes));
    return std::includes(held.checkpointLayers.begin(), held.checkpointLayers.end(),
                         planned.begin(), planned.end());
}

void dropCheckpoints(const RunContext& context, std::int64_t budgetBytes, HeldFull& held) {
    held.checkpointBudgetBytes = budgetBytes;
    keepPlanned(held, checkpointPlan(checkpointCosts(
                          context.model, static_cast<std::int64_t>(held.ids.size()), budgetBytes)));
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
        capture.take(l,
                     scorer.run({layer.lastQueries.view, layer.cache.kv, scoring, true, l}, scope),
                     scope);
    }
    const auto planes = planesOf(capture, scoring);
    planes->logits = full.planes->logits;
    full.planes = planes;
    full.scoring = scoring;
    full.scoringVersion = held.nextVersion();
}

} // namespace fkv::run
