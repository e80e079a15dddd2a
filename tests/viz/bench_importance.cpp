// SPDX-License-Identifier: GPL-3.0-or-later
// What the importance map costs at 131,072 tokens x 32 layers x 8 KV heads: opening, a KV move, a
// TSP move, a zoom step and a hover, each from the change to the painted widget, without the
// computation of the fate. Milliseconds: median and worst of the moves. Usage: bench_importance
// [tokens]
#include "tests/viz/move_bench.h"
#include "viz/plots/importance_panel.h"
#include "viz/plots/importance_view.h"

using namespace fkv;
using namespace fkv::viz;

namespace {

struct Bench : testing::MoveBench {
    ImportancePanel& panel;

    void report(const char* name) {
        const auto& made = panel.map()->image().counters();
        MoveBench::report(name, "(scans " + std::to_string(made.scans) + ", bests " +
                                    std::to_string(made.bests) + ", pictures " +
                                    std::to_string(made.pictures) + ")");
    }
    void moves(const char* name, const std::function<void(trace::Settings&, int)>& change) {
        MoveBench::moves(change);
        report(name);
    }
};

} // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication app(argc, argv);
    const std::int64_t tokens = argc > 1 ? std::atoll(argv[1]) : 131072;
    const auto run = testing::makeRun({.tokens = tokens,
                                       .layers = 32,
                                       .queryHeads = 8,
                                       .kvHeads = 8,
                                       .settings = {.tspLayer = 15},
                                       .saliency = true,
                                       .halfSums = true,
                                       .tables = false});
    testing::ViewFixture f;
    f.theme.apply();
    ImportancePanel panel(f.context());
    panel.resize(1280, 220);
    panel.show();
    QCoreApplication::processEvents();
    Bench bench{testing::MoveBench(f), panel};
    const auto fate = testing::makeFate(run);
    f.settings.reset(fate->settings);
    f.shown.setPhase(Shown::Phase::Done, {}, 1.0);
    bench.measure([&] {
        f.selection.reset(run->tokens(), run->scored());
        f.shown.setRun(run, fate);
    });
    bench.report("open");
    const auto kv = [](trace::Settings& s, int i) {
        s.kv = trace::Amount::ofRate(0.02 + 0.003 * i);
    };
    const auto rate = [](trace::Settings& s, int i) {
        s.tsp = trace::Amount::ofRate(0.05 + 0.005 * i);
    };
    const auto layer = [](trace::Settings& s, int i) { s.tspLayer = 2 + i % 28; };
    bench.moves("KV move, fate TSP", kv);
    bench.moves("TSP rate, fate TSP", rate);
    bench.moves("TSP layer, fate TSP", layer);
    f.options.setFateMode(ViewOptions::FateMode::Kv);
    QCoreApplication::processEvents();
    bench.moves("KV move, fate KV", kv);
    bench.moves("TSP rate, fate KV", rate);
    bench.moves("TSP layer, fate KV", layer);
    f.options.setFateMode(ViewOptions::FateMode::Tsp);
    f.options.setSource(ViewOptions::Source::FastKv);
    QCoreApplication::processEvents();
    bench.moves("TSP rate, FastKV", rate);
    f.options.setSource(ViewOptions::Source::Full);
    QCoreApplication::processEvents();
    for (int i = 0; i < 60; ++i)
        bench.measure([&] {
            f.selection.setHover({i * 2000, {i * 2000, i * 2000 + 130}, i % 32, -1});
        });
    bench.report("hover");
    for (int i = 0; i < 20; ++i)
        bench.measure([&] { f.selection.zoom(60000.0, 0.8); });
    bench.report("zoom step");
    bench.measure([&] { f.options.setScale(ViewOptions::Scale::Mass); });
    bench.report("to Mass");
    return 0;
}
