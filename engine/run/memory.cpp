// SPDX-License-Identifier: Apache-2.0
#include "engine/run/memory.h"

#include "engine/select/budgets.h"

#include <algorithm>
#include <cmath>

namespace fkv::run {

using model::Transformer;

namespace {

constexpr std::int64_t kFloat = sizeof(float);

std::int64_t bytesOf(const model::LayerCache& cache) {
    return cache.memory ? 2 * cache.kv.kvHeads * cache.kv.capacity * cache.kv.headDim *
                              static_cast<std::int64_t>(sizeOf(cache.kv.dtype))
                        : 0;
}

std::int64_t bytesOf(const trace::LayerPlanes& p) {
    std::size_t bytes = 0;
    if (p.ranks) bytes += p.ranks->bytes();
    if (p.levels) bytes += p.levels->bytes();
    if (p.sums) bytes += p.sums->bytes();
    if (p.saliency) bytes += p.saliency->bytes();
    return static_cast<std::int64_t>(bytes);
}

std::int64_t planeBytes(const HeldState& held) {
    std::int64_t bytes = 0;
    if (held.full.planes) {
        for (const trace::LayerPlanes& p : held.full.planes->layers)
            bytes += bytesOf(p);
        if (held.full.planes->tspRanks)
            bytes += static_cast<std::int64_t>(held.full.planes->tspRanks->bytes());
        if (held.full.planes->mass)
            bytes += static_cast<std::int64_t>(held.full.planes->mass->bytes());
    }
    for (const trace::LayerPlanes& p : held.rerun.late)
        bytes += bytesOf(p);
    return bytes + static_cast<std::int64_t>(held.fullForced.size()) * kFloat;
}

/// Planes of one layer with so many scored tokens.
std::int64_t layerPlaneBytes(const trace::ModelInfo& m, std::int64_t scored) {
    return scored * kFloat * (m.queryHeads + 2 * m.kvHeads);
}

} // namespace

std::int64_t heldCapacity(const LoadedModel& model, std::int64_t tokens) {
    const std::int64_t chunk = model.transformer().chunkRows();
    const std::int64_t rounded = (tokens / chunk + 1) * chunk;
    return std::max(tokens, std::min(rounded, model.config().contextLength));
}

CheckpointCosts checkpointCosts(const LoadedModel& model, std::int64_t tokens,
                                const CheckpointBudget& budget) {
    const auto element = static_cast<std::int64_t>(sizeOf(model.backend().info().weightType));
    const std::int64_t rows = heldCapacity(model, tokens);
    const auto best = static_cast<std::int64_t>(std::ceil(kRankedRate * static_cast<double>(rows)));
    return {
        model.config().layers,           tokens, rows, std::min(rows, best + model::kMostWindow),
        model.config().hidden * element, budget};
}

InstrumentMemory estimateMemory(const LoadedModel& model, std::int64_t tokens,
                                const trace::Settings& settings, const KvHolding& kv) {
    const trace::ModelInfo& m = model.info();
    const trace::Budgets budgets = select::computeBudgets(settings, m, tokens);
    const std::int64_t tokenBytes = m.kvHeads * m.kvBytesPerTokenHead();
    const std::int64_t late = m.layers - budgets.firstLate();
    const std::int64_t scored = std::max<std::int64_t>(0, tokens - settings.window);
    const std::int64_t lateScored = std::max<std::int64_t>(0, budgets.propagated - settings.window);

    InstrumentMemory e;
    e.weightBytes = m.weightBytes;
    const bool onHost = kv.place == ops::Place::Host;
    const std::int64_t layerBytes = tokenBytes * heldCapacity(model, tokens);
    if (onHost) e.pinnedBytes = m.layers * layerBytes;
    e.kvBytes = (onHost ? 1 : m.layers) * layerBytes +
                m.layers * tokenBytes * (model::kMostWindow + settings.generate + 1);
    for (const trace::LayerBudget& layer : budgets.layers)
        if (layer.cut()) e.kvBytes += tokenBytes * layer.kept;
    bool passes = false; // a layer whose own keys and values go
    for (int l = budgets.firstLate(); l < m.layers; ++l) {
        const bool goes = !kv.late && budgets.layers[static_cast<std::size_t>(l)].cut();
        e.kvBytes += goes ? 0 : tokenBytes * budgets.propagated;
        passes = passes || goes;
    }
    if (passes) e.kvBytes += tokenBytes * budgets.propagated;
    const auto levels = static_cast<std::int64_t>(trace::RankLevels::bytesFor(
        static_cast<std::size_t>(m.kvHeads), static_cast<std::size_t>(scored)));
    e.planeBytes = m.layers * (layerPlaneBytes(m, scored) + levels + 2 * scored * kFloat) +
                   late * layerPlaneBytes(m, lateScored) +
                   std::int64_t{std::max(0, settings.generate - 1)} * m.vocabulary * kFloat;
    // The model's own scratch is there already; a pass adds its rows and the scorer's planes.
    e.scratchBytes =
        model.transformer().scratchBytes() +
        tokens * m.hidden * static_cast<std::int64_t>(sizeOf(model.backend().info().weightType)) +
        layerPlaneBytes(m, scored) + 2 * scored * kFloat +
        m.layers * std::min(tokens, model::kMostWindow) * m.queryHeads * m.headDim * kFloat;
    return e;
}

std::string givenUpText(const KvHolding& kv, const CheckpointPlan& checkpoints,
                        const CheckpointCosts& costs) {
    std::string text = givenUpText(checkpoints, costs);
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (!kv.late) add("keys and values of late layers: another KV budget may run them again");
    if (kv.place == ops::Place::Host)
        add(std::string(kv.late ? "keys and values lie" : "the others lie") +
            " in host memory: full context decodes at the speed of the bus");
    return text;
}

Room heldBy(const LoadedModel& model, const HeldState& held) {
    const std::int64_t planes = model.backend().info().hostMemory ? planeBytes(held) : 0;
    Room room{model.info().weightBytes + model.transformer().memory().heldBytes() + planes,
              held.full.checkpoints.hostBytes()};
    for (const HeldLayer& layer : held.full.layers)
        if (layer.cache.place == ops::Place::Host) room.hostBytes += bytesOf(layer.cache);
    return room;
}

trace::Counters countMemory(const LoadedModel& model, const HeldState& held) {
    trace::Counters c;
    for (const HeldLayer& layer : held.full.layers)
        c.kvBytesFull += bytesOf(layer.cache);
    c.checkpointBytes = held.full.checkpoints.bytes();
    c.planeBytes = planeBytes(held);
    c.scratchBytes = model.transformer().scratchBytes();
    const model::DeviceMemory& memory = model.transformer().memory();
    c.heldBytes = model.info().weightBytes + memory.heldBytes() + c.planeBytes;
    c.peakBytes = model.info().weightBytes + memory.peakBytes() + c.planeBytes;
    c.checkpointLayers = held.full.checkpoints.layers();
    const CheckpointCosts costs = checkpointCosts(
        model, static_cast<std::int64_t>(held.full.ids.size()), held.full.checkpointBudget);
    if (held.full.layers.empty()) return c; // on the deployed path
    const KvHolding kv{held.full.layers.front().cache.place, held.rerun.keptKv};
    c.givenUp = givenUpText(kv, checkpointPlan(costs), costs);
    return c;
}

} // namespace fkv::run
