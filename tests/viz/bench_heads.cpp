// SPDX-License-Identifier: GPL-3.0-or-later
// What "KV per head" costs at 131,072 tokens x 32 layers x 8 KV heads: opening, KV moves, TSP moves
// and hovers in every view, each from the change to the painted widget, without the computation of
// the fate. Milliseconds: median and p95 of the moves. Usage: bench_heads [tokens]
#include "tests/support/view_fixture.h"
#include "viz/plots/heads_grid.h"
#include "viz/plots/heads_panel.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

using namespace fkv;
using namespace fkv::viz;

namespace {

struct Bench {
    testing::ViewFixture& f;
    HeadsPanel& panel;
    std::vector<double> samples, processor;

    /// From `change` until everything that it touched is painted.
    void measure(const std::function<void()>& change) {
        QElapsedTimer timer;
        const std::clock_t before = std::clock();
        timer.start();
        change();
        QCoreApplication::processEvents();
        samples.push_back(static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        processor.push_back(static_cast<double>(std::clock() - before) * 1e3 / CLOCKS_PER_SEC);
    }
    void report(const QString& name) {
        std::sort(samples.begin(), samples.end());
        std::sort(processor.begin(), processor.end());
        const auto at = [](const std::vector<double>& sorted, double q) {
            return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
        };
        std::printf("%-26s n %2zu  median %6.2f  p95 %6.2f ms  processor %6.2f ms\n",
                    qPrintable(name), samples.size(), at(samples, 0.5), at(samples, 0.95),
                    at(processor, 0.5));
        samples.clear();
        processor.clear();
    }
    void moves(const QString& name, const std::function<void(trace::Settings&, int)>& change) {
        for (int i = 0; i < 60; ++i) {
            trace::Settings to = f.settings.settings();
            change(to, i);
            f.settings.set(to);
            const auto fate = select::computeFate(*f.shown.run(), to, nullptr, f.shown.fate());
            measure([&] { f.shown.setFate(fate); });
        }
        report(name);
    }
    void hovers(const QString& name) {
        const QRect grid = panel.grid().layoutNow().grid();
        for (int i = 0; i < 200 && panel.grid().isVisible(); ++i) {
            const HeadPlace at = panel.grid().layoutNow().hit(
                {grid.left() + i * 37 % grid.width(), grid.top() + i * 11 % grid.height()});
            measure([&] { f.selection.setHover({-1, {}, at.layer, at.head}); });
        }
        f.selection.clearHover();
        if (!samples.empty()) report(name);
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
    Bench bench{f, panel, {}, {}};
    QCoreApplication::processEvents();
    bench.measure([&] { f.show(run); });
    bench.report(QStringLiteral("open, until painted"));
    bench.measure([&] { bench.settle(); });
    bench.report(QStringLiteral("open, until indexed"));
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
