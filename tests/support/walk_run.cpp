// SPDX-License-Identifier: Apache-2.0
#include "tests/support/walk_run.h"

#include "engine/core/error.h"
#include "engine/select/budgets.h"
#include "engine/select/fate.h"

#include <stdexcept>

namespace fkv::testing {

using namespace trace;

namespace {

/// Sums as integers of the bits: NaN and infinities are values like others here.
class Walk {
public:
    template <class T>
    void plane(const PlanePtr<T>& plane) {
        if (!plane) return;
        for (std::size_t r = 0; r < plane->rows(); ++r)
            for (const T v : plane->row(r))
                add(static_cast<double>(v));
    }
    void text(const std::string& s) {
        for (const char c : s)
            add(c);
    }
    void add(double v) { m_sum += v == v ? v : 1.0; }
    double sum() const { return m_sum; }

    void planes(const LayerPlanes& layer) {
        plane(layer.ranks);
        plane(layer.saliency);
        if (!layer.sums) return;
        std::vector<float> row(layer.sums->tokens());
        for (std::size_t h = 0; h < layer.sums->heads(); ++h) {
            layer.sums->row(h, row);
            for (const float v : row)
                add(static_cast<double>(v));
        }
    }
    void prompt(const Prompt& p) {
        text(p.text);
        text(p.expected);
        for (std::int64_t i = 0; i < p.size(); ++i)
            text(p.tokenText(i));
        for (const auto id : p.ids)
            add(id);
    }
    void table(const StabilizationTable& t, std::int64_t scored) {
        for (std::size_t i = 0; i < t.k.size(); ++i)
            for (int l = 0; l < t.layers; ++l)
                for (int m = 0; m < t.layers; ++m)
                    add(t.overlapAt(i, l, m) + t.recallAt(i, l, m));
        for (const std::int64_t k : {std::int64_t{1}, scored / 3 + 1, scored}) {
            const StabilizationCurves curves = curvesAt(t, k, scored);
            for (const float v : curves.worstLaterRecall)
                add(static_cast<double>(v));
        }
    }
    void answer(const std::shared_ptr<const Answer>& a, int vocabulary) {
        if (!a) return;
        text(a->text());
        text(a->firstLine());
        for (const AnswerToken& t : a->tokens) {
            if (t.id < 0 || t.id >= vocabulary) throw std::logic_error("an answer's id");
            add(t.ms);
        }
    }
    void fidelity(const Fidelity& f) {
        add(f.meanKl() + f.top1Agreement());
        for (std::size_t k = 0; k < f.kl.size(); ++k) {
            add(f.sameTop1.at(k));
            if (!f.fullTop.empty())
                for (const TokenProbability& t : f.fullTop.at(k))
                    text(t.text);
            if (!f.fastkvTop.empty())
                for (const TokenProbability& t : f.fastkvTop.at(k))
                    text(t.text);
        }
    }
    void spans(const std::vector<Span>& spans, int layers) {
        std::vector<double> perLayer(static_cast<std::size_t>(layers));
        for (const Span& s : spans) {
            text(std::string(name(s.zone)));
            text(std::string(name(s.pass)));
            text(std::string(name(groupOf(s.zone))));
            if (s.layer >= 0) perLayer.at(static_cast<std::size_t>(s.layer)) += 1;
            if (s.durationNs() < 0) throw std::logic_error("a span's time");
        }
    }
    void fate(const Run& run, const Settings& settings) {
        const FatePtr fate = select::computeFate(run, settings);
        for (int l = 0; l < run.model.layers; ++l)
            for (int g = 0; g < run.model.kvHeads; ++g) {
                const auto kept = select::keptPositions(*fate, l, g);
                if (static_cast<std::int64_t>(kept.size()) !=
                    fate->layers[static_cast<std::size_t>(l)].kept)
                    throw std::logic_error("a head keeps another number than its budget");
                for (const auto position : kept)
                    add(run.prompt->ids.at(static_cast<std::size_t>(position)));
            }
    }

private:
    double m_sum = 0.0;
};

void walkFull(const Run& run, Walk& walk) {
    const int layers = run.model.layers;
    for (const LayerPlanes& layer : run.full->layers)
        walk.planes(layer);
    walk.plane(run.full->tspRanks);
    walk.plane(run.full->mass);
    if (const auto& tables = run.full->tables) {
        walk.table(tables->all, run.scored());
        walk.table(tables->withoutEnd, run.scored());
        for (int l = 0; l < layers; ++l)
            for (int g = 0; g < run.model.kvHeads; ++g)
                walk.add(static_cast<double>(headMassAt(tables->heads, run.scored() / 2, l, g)));
    }
    for (const auto layer : run.counters.checkpointLayers)
        walk.add(static_cast<double>(run.full->layers.at(static_cast<std::size_t>(layer)).ranks !=
                                     nullptr));
    Settings settings = select::defaultSettings(layers);
    settings.window = run.full->window;
    settings.kernel = run.full->kernel;
    settings.pooling = run.full->pooling;
    walk.fate(run, settings);
}

} // namespace

double walkRun(const Run& run) {
    Walk walk;
    const int layers = run.model.layers;
    walk.prompt(*run.prompt);
    if (run.full) walkFull(run, walk);
    walk.answer(run.fullAnswer, run.model.vocabulary);
    walk.answer(run.fastkvAnswer, run.model.vocabulary);
    if (run.fidelity) walk.fidelity(*run.fidelity);
    walk.spans(run.timing.spans, layers);
    if (run.fastkv) {
        for (const LayerPlanes& layer : run.fastkv->late)
            walk.planes(layer);
        for (const auto position : run.fastkv->survivors)
            walk.add(run.prompt->ids.at(static_cast<std::size_t>(position)));
        if (run.full) walk.fate(run, run.fastkv->settings);
    }
    return walk.sum();
}

} // namespace fkv::testing
