// SPDX-License-Identifier: Apache-2.0
#include "engine/run/memory.h"

#include "engine/select/budgets.h"

#include <algorithm>

namespace fkv::run {

using model::Transformer;

namespace {

constexpr std::int64_t kFloat = sizeof(float);

std::int64_t bytesOf(const model::LayerCache& cache) {
    return cache.memory ? 2 * cache.kv.kvHeads * cache.kv.capacity * cache.kv.headDim *
                              static_cast<std::int64_t>(sizeOf(cache.kv.dtype))
                        : 0;
}

std::int64_t bytesOf(const ops::Tensor& t) {
    return t.buffer ? t.view.elements() * static_cast<std::int64_t>(sizeOf(t.view.dtype)) : 0;
}

std::int64_t bytesOf(const trace::LayerPlanes& p) {
    std::size_t bytes = 0;
    if (p.ranks) bytes += p.ranks->bytes();
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
                                std::int64_t budgetBytes) {
    const auto element = static_cast<std::int64_t>(sizeOf(model.backend().info().weightType));
    return {model.config().layers, heldCapacity(model, tokens) * model.config().hidden * element,
            budgetBytes};
}

InstrumentMemory estimateMemory(const LoadedModel& model, std::int64_t tokens,
                                const trace::Settings& settings) {
    const trace::ModelInfo& m = model.info();
    const trace::Budgets budgets = select::computeBudgets(settings, m, tokens);
    const std::int64_t tokenBytes = m.kvHeads * m.kvBytesPerTokenHead();
    const std::int64_t late = m.layers - budgets.firstLate();
    const std::int64_t scored = std::max<std::int64_t>(0, tokens - settings.window);
    const std::int64_t lateScored = std::max<std::int64_t>(0, budgets.propagated - settings.window);

    InstrumentMemory e;
    e.weightBytes = m.weightBytes;
    e.kvBytes = tokenBytes * (m.layers * heldCapacity(model, tokens) + late * budgets.propagated +
                              m.layers * (model::kMostWindow + settings.generate + 1));
    for (const trace::LayerBudget& layer : budgets.layers)
        if (layer.kept < layer.entering) e.kvBytes += tokenBytes * layer.kept;
    e.planeBytes = m.layers * (layerPlaneBytes(m, scored) + 2 * scored * kFloat) +
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

std::int64_t heldOnDevice(const LoadedModel& model, const HeldState& held) {
    const std::int64_t planes = model.backend().info().hostMemory ? planeBytes(held) : 0;
    return model.info().weightBytes + model.transformer().memory().heldBytes() + planes;
}

trace::Counters countMemory(const LoadedModel& model, const HeldState& held) {
    trace::Counters c;
    for (const HeldLayer& layer : held.full.layers)
        c.kvBytesFull += bytesOf(layer.cache);
    for (const ops::Tensor& rows : held.full.checkpoints)
        c.checkpointBytes += bytesOf(rows);
    c.planeBytes = planeBytes(held);
    c.scratchBytes = model.transformer().scratchBytes();
    const model::DeviceMemory& memory = model.transformer().memory();
    c.heldBytes = model.info().weightBytes + memory.heldBytes() + c.planeBytes;
    c.peakBytes = model.info().weightBytes + memory.peakBytes() + c.planeBytes;
    c.checkpointLayers = held.full.checkpointLayers;
    c.givenUp = givenUpText(c.checkpointLayers,
                            checkpointCosts(model, static_cast<std::int64_t>(held.full.ids.size()),
                                            held.full.checkpointBudgetBytes));
    return c;
}

} // namespace fkv::run
