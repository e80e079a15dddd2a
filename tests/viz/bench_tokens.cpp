// SPDX-License-Identifier: GPL-3.0-or-later
// What the token text costs at 1,048,576 tokens: opening, sizing, scrolling, finding, hovering and
// settings that move. Milliseconds: median and p95. Usage: bench_tokens [tokens]
#include "tests/viz/move_bench.h"
#include "viz/text/tokens_panel.h"
#include "viz/text/tokens_view.h"

#include <QLineEdit>
#include <QMouseEvent>
#include <QScrollBar>
#include <fstream>

using namespace fkv;
using namespace fkv::viz;

namespace {

double residentMiB(const char* key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key)) return std::stod(line.substr(std::string(key).size())) / 1024.0;
    return 0.0;
}

void hover(QWidget& page, const QPoint& at) {
    QMouseEvent move(QEvent::MouseMove, at, page.mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                     Qt::NoModifier);
    QApplication::sendEvent(&page, &move);
}

} // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication app(argc, argv);
    const std::int64_t tokens = argc > 1 ? std::atoll(argv[1]) : 1048576;
    const auto run = testing::makeRun({.tokens = tokens,
                                       .layers = 8,
                                       .queryHeads = 2,
                                       .kvHeads = 2,
                                       .settings = {.tspLayer = 3},
                                       .answers = false,
                                       .halfSums = true,
                                       .tables = false});
    testing::ViewFixture f;
    f.theme.apply();
    TokensPanel panel(f.context());
    panel.resize(280, 640);
    panel.show();
    QCoreApplication::processEvents();
    testing::MoveBench bench(f);
    const double before = residentMiB("VmRSS:");
    bench.measure([&] { f.show(run); });
    bench.report("open");
    std::printf("memory: %.0f MiB more for the text, %lld lines\n", residentMiB("VmRSS:") - before,
                static_cast<long long>(panel.view().page().lines()));
    QScrollBar& bar = *panel.view().verticalScrollBar();
    for (int i = 0; i < 100; ++i)
        bench.measure([&] { bar.setValue(bar.value() + 60); });
    bench.report("scroll by notches");
    for (int i = 0; i < 100; ++i)
        bench.measure(
            [&] { bar.setValue(static_cast<int>(std::int64_t{bar.maximum()} * (i % 11) / 10)); });
    bench.report("scroll by far");
    bar.setValue(bar.maximum());
    QWidget& page = *panel.view().viewport();
    for (int i = 0; i < 100; ++i)
        bench.measure([&] { hover(page, {60 + i % 150, 20 + i * 5 % 580}); });
    bench.report("hover at the end");
    for (int i = 0; i < 20; ++i)
        bench.measure([&] { panel.resize(280 + i % 3 * 60, 640); });
    bench.report("another width");
    for (int i = 0; i < 3; ++i)
        bench.measure([&] { f.theme.setPresenter(i % 2 == 0); });
    bench.report("another type size");
    bench.measure([&] { panel.openFind(); });
    bench.report("find opens");
    auto* needle = panel.findChild<QLineEdit*>();
    for (const char* word : {"w", "wh", "wha", "whal", "whale", "passw", "password of Jane", "zzz"})
        bench.measure([&] { needle->setText(QLatin1String(word)); });
    bench.report("find types");
    bench.moves([](trace::Settings& s, int i) { s.kv = trace::Amount::ofRate(0.05 + 0.002 * i); });
    bench.report("KV move");
    bench.moves([](trace::Settings& s, int i) { s.tsp = trace::Amount::ofRate(0.1 + 0.004 * i); });
    bench.report("TSP move");
    for (int i = 0; i < 16; ++i)
        bench.measure([&] { f.selection.pinLayer(i % 8); });
    bench.report("pin a layer");
    for (int i = 0; i < 16; ++i)
        bench.measure([&] { f.selection.pinToken(tokens * i / 16, false); });
    bench.report("pin a token");
    std::printf("peak memory: %.0f MiB\n", residentMiB("VmHWM:"));
    return 0;
}
