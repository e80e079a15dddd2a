// SPDX-License-Identifier: Apache-2.0
#include "engine/select/fate.h"

#include "engine/core/error.h"
#include "engine/select/budgets.h"
#include "engine/select/ranks.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

namespace fkv::select {

using trace::Fate;
using trace::LayerFate;
using trace::State;

namespace {

/// Ties need a walk over every score. Above this many scores that would cost more than a dragged
/// slider may, and the count stays unknown.
constexpr std::size_t mostScoresSearchedForTies = std::size_t{1} << 20;

void forEach(ThreadPool* pool, std::size_t count,
             const std::function<void(std::size_t, int)>& task) {
    if (pool != nullptr)
        pool->parallelFor(count, task);
    else
        for (std::size_t i = 0; i < count; ++i) task(i, 0);
}

[[noreturn]] void missing(const std::string& what) {
    throw Error(ErrorCode::Internal, "the run has no " + what);
}

/// Who passes TSP: the best T - w scored tokens and the window, ascending.
void selectSurvivors(const trace::FullPass& full, Fate& fate) {
    const trace::Budgets& b = fate.budgets;
    if (!b.tspOn) {
        fate.passes = trace::PositionSet(b.tokens, true);
        fate.survivors.resize(static_cast<std::size_t>(b.tokens));
        std::iota(fate.survivors.begin(), fate.survivors.end(), 0);
        return;
    }
    // TSP on means N > T >= w, so there are scored tokens.
    const std::int64_t scored = b.tokens - b.window;
    const auto layer = static_cast<std::size_t>(b.tspLayer);
    if (!full.tspRanks || full.tspRanks->rows() <= layer ||
        full.tspRanks->cols() != static_cast<std::size_t>(scored))
        missing("ranks for token selection");
    const auto ranks = full.tspRanks->row(layer);
    const std::int64_t best = b.propagated - b.window;
    fate.passes = trace::PositionSet(b.tokens);
    fate.compactedIndex.assign(static_cast<std::size_t>(b.tokens), -1);
    fate.survivors.reserve(static_cast<std::size_t>(b.propagated));
    for (std::int64_t i = 0; i < b.tokens; ++i) {
        if (i < scored && ranks[static_cast<std::size_t>(i)] >= best) continue;
        fate.passes.add(i);
        fate.compactedIndex[static_cast<std::size_t>(i)] =
            static_cast<std::int32_t>(fate.survivors.size());
        fate.survivors.push_back(static_cast<std::int32_t>(i));
    }
}

/// Were the late layers really run on these survivors? The same T, given as a rate or as tokens,
/// makes the same prefill.
bool ranOnTheseSurvivors(const trace::Run& run, const Fate& fate) {
    if (!run.fastkv || !fate.budgets.tspOn) return false;
    const trace::Budgets& ran = run.fastkv->budgets;
    return run.fastkv->settings.sameScoring(fate.settings) && ran.tspOn &&
           ran.tokens == fate.budgets.tokens && ran.tspLayer == fate.budgets.tspLayer &&
           ran.propagated == fate.budgets.propagated;
}

const trace::LayerPlanes& planesOf(const trace::Run& run, const LayerFate& layer, int l,
                                   int firstLate) {
    if (!layer.compacted) return run.full->layers[static_cast<std::size_t>(l)];
    return run.fastkv->late[static_cast<std::size_t>(l - firstLate)];
}

/// Everything of a layer but the cuts that have to be searched for: where it has levels.
void describeLayer(const trace::Run& run, const Fate& fate, bool lateExact, int l,
                   LayerFate& layer) {
    const trace::Budgets& b = fate.budgets;
    const trace::LayerBudget& budget = b.layers[static_cast<std::size_t>(l)];
    const bool late = l >= b.firstLate();
    layer.entering = budget.entering;
    layer.kept = budget.kept;
    layer.ranks = run.full->layers[static_cast<std::size_t>(l)].ranks;
    if (late) {
        layer.state = State::Preview;
        const auto i = static_cast<std::size_t>(l - b.firstLate());
        if (lateExact && i < run.fastkv->late.size() && run.fastkv->late[i].ranks) {
            layer.state = State::Exact;
            layer.compacted = true;
            layer.ranks = run.fastkv->late[i].ranks;
        }
    }
    const auto heads = static_cast<std::size_t>(run.model.kvHeads);
    const std::int64_t columns = std::max<std::int64_t>(
        (layer.compacted ? budget.entering : b.tokens) - b.window, 0);
    layer.tied.assign(heads, -1);
    const bool whole = budget.kept >= budget.entering;
    if (!whole && (!layer.ranks || layer.ranks->rows() != heads ||
                   layer.ranks->cols() != static_cast<std::size_t>(columns)))
        missing("ranks of layer " + std::to_string(l));
    layer.cut.assign(heads, static_cast<std::uint32_t>(whole ? columns : budget.kept - b.window));
    if (whole || layer.state == State::Exact) return;
    layer.levels = run.full->layers[static_cast<std::size_t>(l)].levels;
    if (!layer.levels) missing("levels of the ranks of layer " + std::to_string(l));
}

/// True when `old` already holds this layer's cuts and ties: same deciding plane, same numbers.
bool sameLayer(const LayerFate& old, const LayerFate& layer) {
    return old.ranks != nullptr && old.ranks == layer.ranks && old.entering == layer.entering &&
           old.kept == layer.kept && old.state == layer.state &&
           old.compacted == layer.compacted && old.cut.size() == layer.cut.size();
}

void countTies(const trace::Run& run, Fate& fate, int l) {
    LayerFate& layer = fate.layers[static_cast<std::size_t>(l)];
    if (layer.state != State::Exact) return;  // the order itself is a guess there
    if (layer.kept >= layer.entering) {
        std::fill(layer.tied.begin(), layer.tied.end(), 0);
        return;
    }
    const trace::LayerPlanes& planes = planesOf(run, layer, l, fate.budgets.firstLate());
    if (!planes.saliency || planes.saliency->rows() != layer.ranks->rows() ||
        planes.saliency->cols() != layer.ranks->cols())
        return;
    for (std::size_t g = 0; g < layer.tied.size(); ++g)
        layer.tied[g] = static_cast<std::int32_t>(
            trace::tiedAtCut(planes.saliency->row(g), layer.ranks->row(g), layer.cut[g]));
}

std::int32_t countTspTies(const trace::Run& run, const trace::Budgets& b) {
    if (!b.tspOn) return 0;
    const auto t = static_cast<std::size_t>(b.tspLayer);
    const auto& saliency = run.full->layers[t].saliency;
    const auto ranks = run.full->tspRanks->row(t);
    if (!saliency || saliency->cols() != ranks.size()) return -1;
    std::vector<float> score(ranks.size());
    sumRows(saliency->values(), static_cast<std::int64_t>(saliency->rows()), score);
    return static_cast<std::int32_t>(trace::tiedAtCut(score, ranks, b.propagated - b.window));
}

using HeadOfLayer = std::pair<std::size_t, std::size_t>;  ///< layer and head

/// Cuts and kept tokens of late layers that did not run on these survivors.
void searchCuts(Fate& fate, const std::vector<HeadOfLayer>& searched, ThreadPool* pool) {
    if (searched.empty()) return;
    const trace::Budgets& b = fate.budgets;
    // The window is last among the survivors and has no rank.
    const auto scored = std::span<const std::int32_t>(fate.survivors)
                            .first(static_cast<std::size_t>(b.propagated - b.window));
    std::vector<bool> counted;
    for (LayerFate& layer : fate.layers) {
        counted.push_back(!layer.arrivedOn.empty());
        if (!layer.levels) continue;
        layer.arrivedOn.resize(layer.cut.size() * layer.levels->count());
        layer.keptSurvivors.resize(layer.cut.size());
    }
    forEach(pool, searched.size(), [&](std::size_t i, int) {
        const auto [l, g] = searched[i];
        LayerFate& layer = fate.layers[l];
        const std::size_t count = layer.levels->count();
        const auto arrivedOn = std::span(layer.arrivedOn).subspan(g * count, count);
        if (!counted[l]) layer.levels->countLevels(g, scored, arrivedOn);
        std::vector<std::uint64_t> best(layer.levels->words());
        layer.cut[g] =
            layer.levels->best(g, fate.passes.words(), arrivedOn, layer.kept - b.window, best);
        layer.keptSurvivors[g] = trace::PositionSet(b.tokens - b.window, std::move(best));
    });
}

void checkRun(const trace::Run& run, const trace::Settings& settings) {
    if (!run.full || run.tokens() < 1) missing("full-context pass");
    if (run.full->layers.size() != static_cast<std::size_t>(run.model.layers))
        missing("planes of every layer");
    if (settings.window != run.full->window || settings.kernel != run.full->kernel ||
        settings.pooling != run.full->pooling)
        throw Error(ErrorCode::BadArgument,
                    "window, kernel and pooling differ from those of the run",
                    "Score the prompt again with the new values.");
}

}  // namespace

trace::FatePtr computeFate(const trace::Run& run, const trace::Settings& settings, ThreadPool* pool,
                           const trace::FatePtr& previous) {
    checkRun(run, settings);
    auto fate = std::make_shared<Fate>();
    fate->settings = settings;
    fate->budgets = computeBudgets(settings, run.model, run.tokens());
    selectSurvivors(*run.full, *fate);

    const trace::Budgets& b = fate->budgets;
    const auto layers = b.layers.size();
    const bool lateExact = ranOnTheseSurvivors(run, *fate);
    const bool sameSurvivors = previous && previous->layers.size() == layers &&
                               previous->budgets.window == b.window &&
                               previous->budgets.firstLate() == b.firstLate() &&
                               previous->survivors == fate->survivors;

    std::vector<int> fresh;  // layers that `previous` does not hold
    std::vector<HeadOfLayer> searched;
    fate->layers.resize(layers);
    for (std::size_t l = 0; l < layers; ++l) {
        LayerFate& layer = fate->layers[l];
        describeLayer(run, *fate, lateExact, static_cast<int>(l), layer);
        if (sameSurvivors && sameLayer(previous->layers[l], layer)) {
            layer = previous->layers[l];
            continue;
        }
        fresh.push_back(static_cast<int>(l));
        if (!layer.levels) continue;
        // Where the KV budget alone moved, the same survivors lie on the same levels.
        if (sameSurvivors && previous->layers[l].levels == layer.levels)
            layer.arrivedOn = previous->layers[l].arrivedOn;
        for (std::size_t g = 0; g < layer.cut.size(); ++g) searched.emplace_back(l, g);
    }

    searchCuts(*fate, searched, pool);

    const auto scores = static_cast<std::size_t>(run.scored()) * layers *
                        static_cast<std::size_t>(run.model.kvHeads);
    if (scores <= mostScoresSearchedForTies)
        forEach(pool, fresh.size(), [&](std::size_t i, int) { countTies(run, *fate, fresh[i]); });

    const auto t = static_cast<std::size_t>(b.tspLayer);
    const bool sameTsp = sameSurvivors && previous->budgets.tspLayer == b.tspLayer &&
                         previous->layers[t].ranks == fate->layers[t].ranks;
    fate->tspTied = sameTsp ? previous->tspTied : countTspTies(run, b);
    return fate;
}

trace::FatePtr deployedFate(const trace::Run& run, const trace::Settings& settings) {
    auto fate = std::make_shared<Fate>();
    fate->settings = settings;
    fate->budgets = computeBudgets(settings, run.model, run.tokens());
    const bool known = run.fastkv && run.fastkv->budgets.tspOn && fate->budgets.tspOn &&
                       run.fastkv->settings.samePrefill(settings);
    fate->passes = trace::PositionSet(run.tokens(), !fate->budgets.tspOn);
    if (!known) return fate;
    fate->survivors = run.fastkv->survivors;
    for (const std::int32_t position : fate->survivors)
        fate->passes.add(position);
    return fate;
}

std::vector<std::int32_t> keptPositions(const trace::Fate& fate, int layer, int head) {
    std::vector<std::int32_t> kept;
    kept.reserve(static_cast<std::size_t>(fate.layers[static_cast<std::size_t>(layer)].kept));
    for (std::int64_t i = 0; i < fate.tokens(); ++i)
        if (fate.keeps(layer, head, i)) kept.push_back(static_cast<std::int32_t>(i));
    return kept;
}

}  // namespace fkv::select
