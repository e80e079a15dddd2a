// SPDX-License-Identifier: Apache-2.0
#include "engine/io/trace_passes.h"

#include "engine/io/trace_records.h"

#include <algorithm>
#include <functional>

namespace fkv::io {

using trace::LayerPlanes;

namespace {

std::string ofLayer(const std::string& name, int layer) {
    return name + '.' + std::to_string(layer);
}

} // namespace

std::shared_ptr<const trace::WindowSums> TracePasses::readSums(const std::string& name,
                                                               std::int64_t cols) const {
    if (!m_source.has(name)) return nullptr;
    const std::int64_t heads = m_run.model.queryHeads;
    auto scales = m_source.list<float>(name + ".scale", {heads});
    return std::make_shared<const trace::WindowSums>(
        m_source.plane<std::uint16_t>(name, heads, cols),
        trace::Plane<float>::own(std::move(scales), static_cast<std::size_t>(heads), 1));
}

/// A prompt within the window has no scores, and may have no ranks; else all stands on them.
trace::PlanePtr<std::uint32_t> TracePasses::readRanks(const std::string& name, std::int64_t rows,
                                                      std::int64_t cols) {
    if (cols == 0 && !m_source.has(name)) return nullptr;
    auto plane = m_source.plane<std::uint32_t>(name, rows, cols);
    m_ranks.add(name, plane);
    return plane;
}

void TracePasses::readFull() {
    auto full = std::make_shared<trace::FullPass>();
    m_source.json("scoring", [&](const JsonRecord& r) {
        full->window = r.small("window", {1, INT32_MAX});
        full->kernel = r.small("kernel", {1, INT32_MAX});
        full->pooling = poolingFrom(r);
        full->notANumber = r.integer("not_a_number", {});
    });
    m_full = full;
    m_run.full = full;
    const trace::ModelInfo& model = m_run.model;
    const std::int64_t scored = m_run.scored();
    full->logits = m_source.list<float>("full.logits", {model.vocabulary});
    full->layers.resize(static_cast<std::size_t>(model.layers));
    for (int l = 0; l < model.layers; ++l) {
        LayerPlanes& layer = full->layers[static_cast<std::size_t>(l)];
        layer.ranks = readRanks(ofLayer("full.ranks", l), model.kvHeads, scored);
        layer.sums = readSums(ofLayer("full.window_sums", l), scored);
    }
    if (m_source.has("full.saliency")) {
        const auto planes =
            m_source.planes<float>("full.saliency", model.layers, model.kvHeads, scored);
        for (std::size_t l = 0; l < planes.size(); ++l)
            full->layers[l].saliency = planes[l];
    }
    full->tspRanks = readRanks("full.tsp_ranks", model.layers, scored);
    full->mass = m_source.planeIf<float>("full.mass", model.layers, scored);
    if (m_source.has("tables.all.k")) full->tables = readTables();
}

std::vector<std::int64_t> TracePasses::readKs(const std::string& name) const {
    auto ks = m_source.list<std::int64_t>(name, {-1});
    const bool ascending =
        std::adjacent_find(ks.begin(), ks.end(), std::greater_equal<>()) == ks.end();
    if (!ascending || (!ks.empty() && (ks.front() < 1 || ks.back() > m_run.scored())))
        m_source.bad(name + " is not ascending from 1 to the number of scored tokens");
    return ks;
}

trace::StabilizationTable TracePasses::readCurves(const std::string& prefix) const {
    trace::StabilizationTable table;
    table.k = readKs(prefix + ".k");
    if (table.k.empty()) return table;
    const auto ks = static_cast<std::int64_t>(table.k.size());
    const std::int64_t layers = m_run.model.layers;
    table.layers = m_run.model.layers;
    table.overlap = m_source.list<float>(prefix + ".overlap", {ks, layers, layers});
    table.recall = m_source.list<float>(prefix + ".recall", {ks, layers, layers});
    table.worstRecall = m_source.list<float>(prefix + ".worst_recall", {ks, layers});
    return table;
}

std::shared_ptr<const trace::Tables> TracePasses::readTables() const {
    auto tables = std::make_shared<trace::Tables>();
    tables->all = readCurves("tables.all");
    tables->withoutEnd = readCurves("tables.without_end");
    trace::HeadMassTable& heads = tables->heads;
    heads.k = readKs("tables.heads.k");
    if (heads.k.empty()) return tables;
    heads.layers = m_run.model.layers;
    heads.kvHeads = m_run.model.kvHeads;
    heads.mass =
        m_source.list<float>("tables.heads.mass", {static_cast<std::int64_t>(heads.k.size()),
                                                   heads.layers, heads.kvHeads});
    return tables;
}

void TracePasses::readFastKv() {
    auto pass = std::make_shared<trace::FastKvPass>();
    const trace::ModelInfo& model = m_run.model;
    pass->settings = m_source.json(
        "settings", [&](const JsonRecord& r) { return settingsFrom(r, model.layers); });
    const trace::FullPass* full = m_run.full.get();
    if (full && (pass->settings.window != full->window || pass->settings.kernel != full->kernel ||
                 pass->settings.pooling != full->pooling))
        m_source.bad("settings and scoring contradict each other");
    m_source.json("achieved", [&](const JsonRecord& r) {
        pass->budgets = budgetsFrom(r, pass->settings, m_run.tokens(), model.layers);
        pass->standalone = r.flag("standalone");
    });
    pass->logits = m_source.list<float>("fastkv.logits", {model.vocabulary});
    pass->survivors = m_source.list<std::int32_t>("fastkv.tsp_indices", {pass->budgets.propagated});
    if (!strictlyAscending(pass->survivors) || pass->survivors.front() < 0 ||
        pass->survivors.back() >= m_run.tokens())
        m_source.bad("fastkv.tsp_indices is not ascending within the prompt");
    if (!pass->budgets.tspOn)
        pass->survivors.clear();
    else if (full)
        readLate(*pass);
    m_run.fastkv = std::move(pass);
}

void TracePasses::readLate(trace::FastKvPass& pass) {
    const trace::ModelInfo& model = m_run.model;
    const int first = pass.budgets.firstLate();
    // A measurement on the deployed path has kept nothing of them.
    if (first >= model.layers || !m_source.has(ofLayer("fastkv.kept", first))) return;
    const std::int64_t scored =
        std::max<std::int64_t>(pass.budgets.propagated - pass.budgets.window, 0);
    for (int l = first; l < model.layers; ++l) {
        LayerPlanes layer;
        layer.ranks = readRanks(ofLayer("fastkv.ranks", l), model.kvHeads, scored);
        layer.saliency =
            m_source.planeIf<float>(ofLayer("fastkv.saliency", l), model.kvHeads, scored);
        layer.sums = readSums(ofLayer("fastkv.window_sums", l), scored);
        pass.late.push_back(std::move(layer));
    }
}

// Threads only where they pay.
int TracePasses::threads() const {
    return m_ranks.elements() > (1U << 20) ? 0 : 1;
}

void TracePasses::addLevels() {
    if (!m_full) return;
    ThreadPool pool(threads());
    pool.parallelFor(m_full->layers.size(), [this](std::size_t l, int) {
        LayerPlanes& layer = m_full->layers[l];
        if (layer.ranks) layer.levels = std::make_shared<const trace::RankLevels>(layer.ranks);
    });
}

void TracePasses::check() const {
    ThreadPool pool(threads());
    const std::string fault = m_ranks.firstFault(pool);
    if (!fault.empty()) m_source.bad(fault + " has a row that is not a ranking");
    if (!m_run.fastkv || !m_run.full) return;
    const trace::FastKvPass& pass = *m_run.fastkv;
    const trace::Budgets& b = pass.budgets;
    // The deployed path ranks by itself, and may differ from the full pass among near ties.
    if (b.tspOn && !pass.standalone) {
        const auto ranks = m_run.full->tspRanks->row(static_cast<std::size_t>(b.tspLayer));
        if (!keptAgrees({pass.survivors, ranks, {}, b.tokens, b.window}))
            m_source.bad("fastkv.tsp_indices contradicts full.tsp_ranks");
    }
    const int listed = pass.late.empty() ? b.firstLate() : m_run.model.layers;
    for (int l = 0; l < listed; ++l)
        checkKept(pass, l);
}

void TracePasses::checkKept(const trace::FastKvPass& pass, int layer) const {
    const trace::Budgets& b = pass.budgets;
    const trace::LayerBudget& budget = b.layers[static_cast<std::size_t>(layer)];
    const int first = b.firstLate();
    const bool late = layer >= first;
    const LayerPlanes& planes = late ? pass.late[static_cast<std::size_t>(layer - first)]
                                     : m_run.full->layers[static_cast<std::size_t>(layer)];
    const std::string name = ofLayer("fastkv.kept", layer);
    const auto kept = m_source.plane<std::int32_t>(name, m_run.model.kvHeads, budget.kept);
    for (std::size_t g = 0; g < kept->rows(); ++g) {
        KeptRow row{.listed = kept->row(g), .entering = budget.entering, .window = b.window};
        if (planes.ranks) row.ranks = planes.ranks->row(g);
        if (late) row.survivors = pass.survivors;
        if (!keptAgrees(row)) m_source.bad(name + " contradicts the ranks, or is not ascending");
    }
}

} // namespace fkv::io
