// SPDX-License-Identifier: Apache-2.0
#include "tests/support/synthetic_run.h"

#include "engine/core/thread_pool.h"
#include "engine/select/budgets.h"
#include "engine/select/fate.h"
#include "engine/select/ranks.h"
#include "engine/select/stabilization.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

namespace fkv::testing {

using namespace trace;

namespace {

/// SplitMix64: a good hash of a counter, so that any value can be made on its own.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

double unit(std::uint64_t x) { return static_cast<double>(mix(x) >> 11) * 0x1.0p-53; }

/// Attention mass of one token: heavy-tailed, steady across layers in part.
float massOf(const SyntheticSpec& s, std::int64_t scored, int layer, int head, std::int64_t token) {
    const auto t = static_cast<std::uint64_t>(token);
    const double steady = unit(t / 3 * 7919);
    const double own = unit((static_cast<std::uint64_t>(layer) << 40) ^
                            (static_cast<std::uint64_t>(head) << 32) ^ (t / 2));
    const double share = std::min(1.0, 0.15 + 0.8 * layer / std::max(1, s.layers - 1));
    double v = std::exp(7.0 * (share * steady + (1.0 - share) * own)) * 1e-6;
    if (token < 4) v *= token == 0 ? 4e4 : 300.0;
    const double distance = static_cast<double>(scored - token);
    v *= 1.0 + 60.0 / (1.0 + distance / 8.0);
    const std::int64_t needle = needleBegin(s);
    if (token >= needle && token < needle + kNeedleTokens && layer * 2 >= s.layers - 2 &&
        head % 3 != 1)
        v += 0.02 * (1.0 + own);
    return static_cast<float>(v);
}

/// Columns of a plane are `positions`, or every scored token.
LayerPlanes makePlanes(const SyntheticSpec& s, std::int64_t scored, int layer,
                       std::optional<std::span<const std::int32_t>> positions, ThreadPool& pool,
                       std::vector<float>* summed) {
    const auto m = positions ? positions->size() : static_cast<std::size_t>(scored);
    const auto heads = static_cast<std::size_t>(s.queryHeads);
    const auto groups = static_cast<std::size_t>(s.kvHeads);
    std::vector<float> sums(heads * m), saliency(groups * m);
    pool.parallelFor(heads, [&](std::size_t h, int) {
        for (std::size_t i = 0; i < m; ++i)
            sums[h * m + i] = massOf(s, scored, layer, static_cast<int>(h),
                                     positions ? (*positions)[i] : static_cast<std::int64_t>(i));
    });
    select::poolAndGroup({sums, saliency, s.queryHeads, s.kvHeads, static_cast<std::int64_t>(m),
                          s.settings.kernel, s.settings.pooling == Pooling::Average});
    std::vector<std::uint32_t> ranks(groups * m);
    pool.parallelFor(groups, [&](std::size_t g, int) {
        select::RankScratch scratch;
        select::rankDescending(std::span(saliency).subspan(g * m, m),
                               std::span(ranks).subspan(g * m, m), scratch);
    });
    if (summed != nullptr) {
        summed->assign(m, 0.0F);
        select::sumRows(saliency, s.kvHeads, *summed);
    }
    LayerPlanes planes;
    planes.ranks = Plane<std::uint32_t>::own(std::move(ranks), groups, m);
    if (!positions) planes.levels = std::make_shared<const RankLevels>(planes.ranks);
    if (s.saliency) planes.saliency = Plane<float>::own(std::move(saliency), groups, m);
    if (!s.halfSums) {
        planes.sums = std::make_shared<WindowSums>(Plane<float>::own(std::move(sums), heads, m));
        return planes;
    }
    std::vector<std::uint16_t> half(heads * m);
    std::vector<float> scales(heads);
    pool.parallelFor(heads, [&](std::size_t h, int) {
        const auto row = std::span(sums).subspan(h * m, m);
        scales[h] = m > 0 ? std::max(*std::max_element(row.begin(), row.end()), 1e-30F) : 1.0F;
        for (std::size_t i = 0; i < m; ++i) half[h * m + i] = floatToHalf(row[i] / scales[h]);
    });
    planes.sums = std::make_shared<WindowSums>(
        Plane<std::uint16_t>::own(std::move(half), heads, m),
        Plane<float>::own(std::move(scales), heads, 1));
    return planes;
}

std::shared_ptr<const Prompt> makePrompt(const SyntheticSpec& s) {
    static constexpr std::array<const char*, 16> kWords{
        "the", " sea", " was", " grey", " and", " a", " whale", " rose", " slowly", " from",
        " under", " remembering", " ice", " of", " night", "s"};
    static constexpr std::array<const char*, kNeedleTokens> kNeedle{
        " The", " pass", "word", " of", " Jane", " is", " gentle", " need", "le."};
    auto prompt = std::make_shared<Prompt>();
    const std::int64_t needle = needleBegin(s);
    for (std::int64_t i = 0; i < s.tokens; ++i) {
        const bool inside = i >= needle && i < needle + kNeedleTokens;
        const auto word = mix(static_cast<std::uint64_t>(i)) % kWords.size();
        const std::string text = inside ? kNeedle[static_cast<std::size_t>(i - needle)]
                                 : i % 97 == 96 ? "\n"
                                 : i == 0       ? ""
                                                : kWords[word];
        const auto begin = static_cast<std::uint32_t>(prompt->text.size());
        prompt->text += text;
        prompt->bytes.emplace_back(begin, static_cast<std::uint32_t>(prompt->text.size()));
        prompt->ids.push_back(i == 0 ? 1
                              : inside ? static_cast<std::int32_t>(200 + i - needle)
                              : text == "\n" ? 13 : static_cast<std::int32_t>(100 + word));
        prompt->pieces.push_back(i == 0 ? "<s>" : "");
    }
    prompt->expected = "gentle needle";
    return prompt;
}

std::shared_ptr<const FullPass> makeFull(const SyntheticSpec& s, std::int64_t scored, ThreadPool& pool) {
    auto full = std::make_shared<FullPass>();
    full->window = s.settings.window;
    full->kernel = s.settings.kernel;
    full->pooling = s.settings.pooling;
    full->logits.assign(512, 0.0F);
    full->logits[300] = 9.0F;
    const auto layers = static_cast<std::size_t>(s.layers);
    const auto m = static_cast<std::size_t>(scored);
    std::vector<std::uint32_t> tsp(layers * m);
    std::vector<float> mass(layers * m), score;
    for (std::size_t l = 0; l < layers; ++l) {
        full->layers.push_back(makePlanes(s, scored, static_cast<int>(l), std::nullopt, pool, &score));
        select::RankScratch scratch;
        select::rankDescending(score, std::span(tsp).subspan(l * m, m), scratch);
        const auto row = std::span(mass).subspan(l * m, m);
        std::vector<float> head(m);
        for (std::size_t h = 0; h < static_cast<std::size_t>(s.queryHeads); ++h) {
            full->layers.back().sums->row(h, head);
            for (std::size_t i = 0; i < m; ++i) row[i] += head[i];
        }
    }
    full->tspRanks = Plane<std::uint32_t>::own(std::move(tsp), layers, m);
    full->mass = Plane<float>::own(std::move(mass), layers, m);
    if (s.tables) full->tables = select::computeTables(*full, pool, {});
    return full;
}

void addRerun(const SyntheticSpec& s, Run& run, ThreadPool& pool) {
    const FatePtr fate = select::computeFate(run, s.settings, &pool);
    auto pass = std::make_shared<FastKvPass>();
    pass->settings = s.settings;
    pass->budgets = fate->budgets;
    pass->logits = run.full->logits;
    pass->logits[301] = 8.0F;
    if (fate->budgets.tspOn) {
        pass->survivors = fate->survivors;
        const auto arriving = std::span(fate->survivors)
                                  .first(fate->survivors.size() - static_cast<std::size_t>(s.settings.window));
        for (int l = fate->budgets.firstLate(); l < s.layers; ++l)
            pass->late.push_back(makePlanes(s, run.scored(), l, arriving, pool, nullptr));
    }
    run.fastkv = pass;
}

void addTiming(const SyntheticSpec& s, Run& run) {
    static constexpr std::array<Zone, 9> kZones{Zone::Norm, Zone::Qkv, Zone::Rope, Zone::Attention,
                                                Zone::OutProj, Zone::Mlp, Zone::WindowSums,
                                                Zone::Saliency, Zone::Ranks};
    static constexpr std::array<double, 9> kShare{1, 12, 1, 40, 6, 30, 2, 1, 2};
    std::int64_t now = 0;
    const auto layerOf = [&](PassKind pass, int layer, double scale, std::int64_t tokens) {
        for (std::size_t z = 0; z < kZones.size(); ++z) {
            const auto ns = static_cast<std::int64_t>(scale * kShare[z] * 1e4);
            run.timing.spans.push_back({now, now + ns, kZones[z], pass, static_cast<std::int16_t>(layer),
                                        0, static_cast<std::int32_t>(tokens)});
            now += ns;
        }
    };
    for (int l = 0; l < s.layers; ++l) layerOf(PassKind::Full, l, 100.0, s.tokens);
    // Full context selects nothing: its total leaves selection out, as the engine does.
    double selection = 0.0;
    for (const Span& span : run.timing.spans)
        if (groupOf(span.zone) == ZoneGroup::Selection) selection += static_cast<double>(span.durationNs()) * 1e-6;
    const double withSelection = static_cast<double>(now) * 1e-6;
    run.timing.fullPrefillMs = withSelection - selection;
    run.timing.fullPrefillWithCaptureMs = withSelection * 1.03;
    if (!run.fastkv) return;
    const std::int64_t before = now;
    for (int l = run.fastkv->budgets.firstLate(); l < s.layers; ++l)
        layerOf(PassKind::FastKv, l, 14.0, run.fastkv->budgets.propagated);
    run.timing.rerunMs = static_cast<double>(now - before) * 1e-6;
    run.timing.fastKvPrefillMs =
        withSelection * run.fastkv->budgets.firstLate() / s.layers + *run.timing.rerunMs;
    run.timing.loadMs = 240.0;
}

void addAnswers(Run& run) {
    // One id a word, so that answers differ where their words do.
    std::map<std::string, std::int32_t> ids;
    const auto answer = [&ids](std::vector<std::string> words, double ms) {
        auto a = std::make_shared<Answer>();
        for (std::string& word : words) {
            const auto id = ids.try_emplace(word, 300 + static_cast<std::int32_t>(ids.size()));
            a->tokens.push_back({id.first->second, std::move(word), a->tokens.empty() ? 0.0 : ms});
        }
        a->msPerToken = ms;
        a->end = AnswerEnd::Count;
        return a;
    };
    run.fullAnswer = answer({" gentle", " need", "le", "\n", "Quest", "ion"}, 4.2);
    run.fastkvAnswer = answer({" gentle", " need", "les", "\n", "Who", "?"}, 2.9);
    auto f = std::make_shared<Fidelity>();
    f->kl = {3e-5, 2e-3, 6.2, 0.4, 1e-4, 0.02};
    f->sameTop1 = {1, 1, 0, 1, 1, 1};
    for (std::size_t k = 0; k < f->kl.size(); ++k) {
        TopFive top;
        for (std::size_t i = 0; i < top.size(); ++i)
            top[i] = {static_cast<std::int32_t>(300 + i), " word" + std::to_string(i),
                      static_cast<float>(0.9 / (1.0 + 3.0 * static_cast<double>(i)))};
        f->fullTop.push_back(top);
        std::swap(top[0].probability, top[1].probability);
        f->fastkvTop.push_back(top);
    }
    run.fidelity = f;
}

}  // namespace

RunPtr makeRun(const SyntheticSpec& s) {
    ThreadPool pool;
    auto run = std::make_shared<Run>();
    run->id = 1;
    run->model.name = "synthetic";
    run->model.layers = s.layers;
    run->model.queryHeads = s.queryHeads;
    run->model.kvHeads = s.kvHeads;
    run->model.headDim = 64;
    run->model.hidden = 64 * s.queryHeads;
    run->model.vocabulary = 512;
    run->model.contextLength = std::max<std::int64_t>(s.tokens, 16384);
    run->model.weightBytes = 30 << 20;
    run->machine.device = "CPU";
    run->machine.cpu = "a processor";
    run->machine.threads = 2;
    run->machine.blas = "own kernels";
    run->machine.version = "test";
    run->machine.dateUtc = "2026-01-01T00:00:00Z";
    run->prompt = makePrompt(s);
    const std::int64_t scored = std::max<std::int64_t>(s.tokens - s.settings.window, 0);
    run->full = makeFull(s, scored, pool);
    if (s.rerun) addRerun(s, *run, pool);
    addTiming(s, *run);
    if (s.answers) addAnswers(*run);
    run->counters.heldBytes = 512 << 20;
    run->counters.peakBytes = 600 << 20;
    run->counters.kvBytesFull = s.tokens * s.layers * s.kvHeads * run->model.kvBytesPerTokenHead();
    return run;
}

RunPtr makeDeployedRun(const SyntheticSpec& s, Rung rung) {
    auto run = std::make_shared<Run>(*makeRun(s));
    run->rung = rung;
    run->full = nullptr;
    auto pass = std::make_shared<FastKvPass>(*run->fastkv);
    pass->late.clear();
    pass->standalone = true;
    run->fastkv = pass;
    run->timing.fastKvState = State::Exact;
    run->timing.rerunMs.reset();
    run->timing.fullPrefillWithCaptureMs.reset();
    // The deployed path runs every layer of both sides.
    std::erase_if(run->timing.spans, [](const Span& s) { return isInstrument(s.zone); });
    std::erase_if(run->timing.spans, [](const Span& s) { return s.pass == PassKind::FastKv; });
    std::vector<Span> fastkv;
    for (Span span : run->timing.spans) {
        if (span.pass != PassKind::Full) continue;
        span.pass = PassKind::FastKv;
        fastkv.push_back(span);
    }
    auto& spans = run->timing.spans;
    if (rung == Rung::FastKvAlone) {
        std::erase_if(spans, [](const Span& s) { return s.pass == PassKind::Full; });
        run->fullAnswer = nullptr;
        run->fidelity = nullptr;
        run->timing.fullPrefillMs.reset();
    }
    spans.insert(spans.end(), fastkv.begin(), fastkv.end());
    run->counters.kvBytesFull = run->counters.checkpointBytes = run->counters.planeBytes = 0;
    run->counters.checkpointLayers.clear();
    run->counters.standaloneFullPeakBytes = rung == Rung::Deployed ? 400 << 20 : 0;
    run->counters.standaloneFastKvPeakBytes = 300 << 20;
    run->counters.givenUp = rung == Rung::Deployed
                                ? "capture, as looking into this prompt needs 9.1 GiB of 8.0 GiB"
                                : "capture and full context, as full context needs 8.2 GiB of 8.0 GiB";
    return run;
}

FatePtr makeFate(const RunPtr& run) {
    Settings settings = run->fastkv ? run->fastkv->settings : select::defaultSettings(run->model.layers);
    return run->full ? select::computeFate(*run, settings) : select::deployedFate(*run, settings);
}

}  // namespace fkv::testing
