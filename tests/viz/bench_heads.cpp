// SPDX-License-Identifier: GPL-3.0-or-later
// What "KV per head" costs at 131,072 tokens x 32 layers x 8 KV heads: opening, KV moves, TSP moves
// and hovers in every view, each from the change to the painted widget, without the computation of
// the fate. Milliseconds: median and p95 of the moves. Usage: bench_heads [tokens]
#include "tests/viz/move_bench.h"
#include "viz/plots/heads_grid.h"
#include "viz/plots/heads_panel.h"

#include <QEventLoop>

using namespace fkv;
using namespace fkv::viz;

namespace {

struct Bench : testing::MoveBench {
    HeadsPanel& panel;

    void moves(const QString& name, const std::function<void(trace::Settings&, int)>& change) {
        MoveBench::moves(change);
        report(name.toStdString());
    }
    void hovers(const QString& name) {
        const QRect grid = panel.grid().layoutNow().grid();
        for (int i = 0; i < 200 && panel.grid().isVisible(); ++i) {
            const HeadPlace at = panel.grid().layoutNow().hit(
                {grid.left() + i * 37 % grid.width(), grid.top() + i * 11 % grid.height()});
            measure([&] { f.selection.setHover({-1, {}, at.layer, at.head}); });
        }
        f.selection.clearHover();
        report(name.toStdString());
    }
    void settle() {
        while (panel.model().indexing())
            QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        QCoreApplication::processEvents();
    }
    void allMoves(const QString& view) {
        const trace::Settings home = f.settings.settings();
        moves(view + QStringLiteral(": KV"),
              [](trace::Settings& s, int i) { s.kv = trace::Amount::ofRate(0.05 + 0.002 * i); });
        f.settings.set(home);
        moves(view + QStringLiteral(": TSP rate"),
              [](trace::Settings& s, int i) { s.tsp = trace::Amount::ofRate(0.10 + 0.004 * i); });
        moves(view + QStringLiteral(": KV in preview"),
              [](trace::Settings& s, int i) { s.kv = trace::Amount::ofRate(0.05 + 0.002 * i); });
        f.settings.set(home);
        moves(view + QStringLiteral(": TSP layer"),
              [](trace::Settings& s, int i) { s.tspLayer = i % 30; });
        f.move(home);
        hovers(view + QStringLiteral(": hover"));
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
                                       .answers = false,
                                       .halfSums = true});
    testing::ViewFixture f;
    f.theme.apply();
    HeadsPanel panel(f.context());
    panel.resize(500, 190);
    panel.show();
    Bench bench{testing::MoveBench(f), panel};
    QCoreApplication::processEvents();
    bench.measure([&] { f.show(run); });
    bench.report("open, until painted");
    bench.measure([&] { bench.settle(); });
    bench.report("open, until indexed");
    std::printf("indexes: %.1f MB\n", static_cast<double>(panel.model().indexBytes()) * 1e-6);
    f.selection.addSpan({tokens * 2 / 5, tokens * 2 / 5 + 9}, QStringLiteral("fact"));
    f.selection.pinHead(18, 3);
    for (const QSize size : {QSize(500, 190), QSize(1000, 700)}) {
        panel.resize(size);
        for (int view = 0; view < 4; ++view) {
            panel.setView(view);
            bench.settle();
            bench.allMoves(QStringLiteral("%1 %2").arg(size.width()).arg(panel.viewNames()[view]));
        }
    }
    return 0;
}
