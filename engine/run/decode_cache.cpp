// SPDX-License-Identifier: Apache-2.0
#include "engine/run/decode_cache.h"

#include "engine/run/kv_copy.h"

#include <algorithm>

namespace fkv::run {

using trace::PassKind;
using trace::Zone;

namespace {

/// Where a layer's keys, values and ranks are under some budgets.
struct Source {
    const ops::KvView& kv;
    const trace::LayerPlanes* planes; ///< null while the layer runs
    std::uint64_t version;
    std::int64_t entering, kept;
    std::int64_t window;   ///< tokens at the end that are always kept
    ops::View positions{}; ///< [1, entering] if the layer slides and tokens were left out; or empty

    bool whole() const { return kept >= entering; }
    std::int64_t best() const { return kept - window; }
};

Source sourceOf(const HeldState& held, const trace::Budgets& budgets, int layer) {
    const trace::LayerBudget& budget = budgets.layers[static_cast<std::size_t>(layer)];
    const std::int64_t window = std::min<std::int64_t>(budgets.window, budget.entering);
    const bool late = layer >= budgets.firstLate();
    if (!late) {
        const auto i = static_cast<std::size_t>(layer);
        return {held.full.layers[i].cache.kv,
                &held.full.planes->layers[i],
                held.full.scoringVersion,
                budget.entering,
                budget.kept,
                window};
    }
    const auto i = static_cast<std::size_t>(layer - budgets.firstLate());
    return {held.rerun.layers[i].cache.kv,
            held.rerun.complete ? &held.rerun.late[i] : nullptr,
            held.rerun.version,
            budget.entering,
            budget.kept,
            window,
            held.rerun.positions.view};
}

ops::DecodeLayer decodeLayer(const RunContext& context, HeldTails& tails, int layer) {
    ops::DecodeLayer decode{};
    decode.weights = context.transformer().weights().layers[static_cast<std::size_t>(layer)];
    decode.tail = tails.layers[static_cast<std::size_t>(layer)].kv;
    decode.tail.length = 0;
    decode.slidingWindow = context.model.config().slidingWindow(layer);
    return decode;
}

void makeTails(const RunContext& context, HeldTails& tails, std::int64_t room) {
    const std::int64_t capacity = model::kMostWindow + room + 1;
    tails.layers.resize(static_cast<std::size_t>(context.layers()));
    for (model::LayerCache& tail : tails.layers)
        if (!tail.memory || tail.kv.capacity < capacity)
            resizeCache(context.transformer(), tail, capacity, 0);
}

bool serves(const HeldCompressed::Layer& layer, const Source& source) {
    return layer.version == source.version && layer.count >= source.best();
}

/// `ranks` [G, M] U32 in backend memory.
void gatherLayer(const RunContext& context, const Source& source, const ops::View& ranks,
                 bool slides, HeldCompressed::Layer& layer) {
    model::Transformer& transformer = context.transformer();
    const std::int64_t count = source.best();
    layer.version = 0;
    if (!layer.cache.memory || layer.cache.kv.capacity < count)
        resizeCache(transformer, layer.cache, count, 0);
    if (slides && (!layer.positions.buffer || layer.positions.view.cols < count))
        layer.positions =
            transformer.memory().matrix(source.kv.kvHeads, layer.cache.kv.capacity, DType::I32);
    layer.cache.kv.length = count;
    transformer.backend().gatherKv({source.kv, ranks, count, layer.cache.kv, source.positions,
                                    slides ? layer.positions.view : ops::View{}});
    layer.count = count;
    layer.version = source.version;
    layer.gatherNs = 0;
}

void keepWindow(const RunContext& context, const Source& source, HeldCompressed::Layer& layer) {
    resizeCache(context.transformer(), layer.window, source.window, 0);
    layer.window.kv.length = source.window;
    copyTokens(context.transformer().backend(), source.kv, source.entering - source.window,
               layer.window.kv);
}

} // namespace

bool gatherCaches(const RunContext& context, const trace::Budgets& budgets, HeldState& held) {
    held.compressed.layers.resize(static_cast<std::size_t>(context.layers()));
    bool gathered = false;
    for (int l = 0; l < context.layers(); ++l) {
        HeldCompressed::Layer& layer = held.compressed.layers[static_cast<std::size_t>(l)];
        const Source source = sourceOf(held, budgets, l);
        if (source.whole() || serves(layer, source)) continue;
        SpanSink spans(1);
        PassScope scope(spans, PassKind::FastKv, context.gate, context.stop);
        const bool slides = context.model.config().slidingWindow(l) > 0;
        scope.op(Zone::Gather, source.best(), [&] {
            const trace::Plane<std::uint32_t>& plane = *source.planes->ranks;
            const ops::Tensor ranks = context.transformer().memory().matrix(
                source.kv.kvHeads, static_cast<std::int64_t>(plane.cols()), DType::U32);
            context.transformer().backend().upload(ranks.view, plane.values().data());
            gatherLayer(context, source, ranks.view, slides, layer);
            context.transformer().backend().synchronize();
        });
        layer.gatherNs = spans.spans().front().durationNs();
        gathered = true;
    }
    return gathered;
}

void keepBest(const RunContext& context, const PassingLayer& passing, HeldState& held) {
    const auto l = static_cast<std::size_t>(passing.layer);
    held.compressed.layers.resize(static_cast<std::size_t>(context.layers()));
    const Source at = sourceOf(held, passing.budgets, passing.layer);
    const Source source{passing.kv, nullptr,   at.version,  at.entering,
                        at.kept,    at.window, at.positions};
    HeldCompressed::Layer& layer = held.compressed.layers[l];
    gatherLayer(context, source, passing.ranks,
                context.model.config().slidingWindow(passing.layer) > 0, layer);
    keepWindow(context, source, layer);
}

void letLateKvGo(const RunContext& context, const trace::Budgets& budgets, HeldState& held) {
    for (int l = budgets.firstLate(); l < context.layers(); ++l) {
        const Source source = sourceOf(held, budgets, l);
        if (source.whole() || !source.kv.keys) continue;
        keepWindow(context, source, held.compressed.layers[static_cast<std::size_t>(l)]);
        held.rerun.layers[static_cast<std::size_t>(l - budgets.firstLate())].cache = {};
    }
    held.rerun.keptKv = false;
}

bool canGather(const trace::Budgets& budgets, const HeldState& held) {
    for (int l = budgets.firstLate(); l < static_cast<int>(budgets.layers.size()); ++l) {
        const Source source = sourceOf(held, budgets, l);
        if (source.kv.keys) continue;
        const auto i = static_cast<std::size_t>(l);
        if (source.whole() || held.compressed.layers.size() <= i ||
            !serves(held.compressed.layers[i], source))
            return false;
    }
    return true;
}

std::vector<ops::DecodeLayer> fullLayers(const RunContext& context, HeldState& held,
                                         std::int64_t room) {
    makeTails(context, held.tails, room);
    std::vector<ops::DecodeLayer> layers;
    for (int l = 0; l < context.layers(); ++l) {
        ops::DecodeLayer decode = decodeLayer(context, held.tails, l);
        decode.prefix = held.full.layers[static_cast<std::size_t>(l)].cache.kv;
        layers.push_back(decode);
    }
    return layers;
}

std::vector<ops::DecodeLayer> compressedLayers(const RunContext& context,
                                               const trace::Budgets& budgets, HeldState& held,
                                               std::int64_t room) {
    makeTails(context, held.tails, room);
    std::vector<ops::DecodeLayer> layers;
    for (int l = 0; l < context.layers(); ++l) {
        ops::DecodeLayer decode = decodeLayer(context, held.tails, l);
        const Source source = sourceOf(held, budgets, l);
        if (source.whole()) {
            decode.prefix = source.kv;
            decode.prefixPositions = source.positions;
        } else {
            const HeldCompressed::Layer& best = held.compressed.layers[static_cast<std::size_t>(l)];
            decode.prefix = best.cache.kv;
            decode.prefix.length = source.best();
            decode.prefixPositions = best.positions.view;
            decode.tail.length = source.window;
            if (source.kv.keys)
                copyTokens(context.transformer().backend(), source.kv,
                           source.entering - source.window, decode.tail);
            else
                copyTokens(context.transformer().backend(), best.window.kv, 0, decode.tail);
        }
        layers.push_back(decode);
    }
    return layers;
}

} // namespace fkv::run
