// SPDX-License-Identifier: GPL-3.0-or-later

// The real window on a GPU, offscreen: opens a model, analyses a prompt, drags the TSP and the KV
// slider, measures, and leaves a picture of each state:
//     window_run MODEL_FOLDER PROMPT_FILE OUT_FOLDER [DEVICE]
// Prints as JSON what a person would have waited for, and fails when a step does or when the timing
// is not the GPU's.

#include "app/window/board.h"
#include "app/window/main_window.h"
#include "app/window/workspace.h"
#include "tests/support/slider_drag.h"
#include "viz/plots/panel.h"

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QSettings>
#include <algorithm>
#include <clocale>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace fkv;
using nlohmann::json;

namespace {

constexpr int kPatienceMs = 300000;

class WindowRun {
public:
    WindowRun(app::MainWindow& window, QString out) : m_window(window), m_out(std::move(out)) {}

    /// Until everything is in. Returns the milliseconds, and -1 for a failure or endless waiting.
    double settle() {
        QElapsedTimer whole, turn;
        whole.start();
        const app::Controller& controller = m_window.workspace().controller;
        for (bool started = false; whole.elapsed() < kPatienceMs;) {
            turn.restart();
            QApplication::processEvents(QEventLoop::AllEvents, 5);
            m_longestTurnMs =
                std::max(m_longestTurnMs, static_cast<double>(turn.nsecsElapsed()) * 1e-6);
            if (!m_window.failure().message.isEmpty()) {
                std::cerr << m_window.failure().message.toStdString() << '\n';
                return -1.0;
            }
            // What was asked for begins a moment later.
            started = started || !controller.settled() || whole.elapsed() > 1000;
            if (started && controller.settled()) return static_cast<double>(whole.elapsed());
        }
        std::cerr << "window_run: nothing came\n";
        return -1.0;
    }

    void drag(QWidget* slider, double from, double to) {
        const auto send = [&](QEvent::Type type, double share) {
            testing::sendMouse(slider, type, share);
            QApplication::processEvents();
        };
        send(QEvent::MouseButtonPress, from);
        for (int i = 1; i <= 20; ++i)
            send(QEvent::MouseMove, from + (to - from) * i / 20.0);
        send(QEvent::MouseButtonRelease, to);
    }

    bool picture(QWidget& of, const QString& name) {
        of.grab(); // layout and readouts settle in the first
        QApplication::processEvents();
        return of.grab().save(QDir(m_out).filePath(name));
    }
    double longestTurnMs() const { return m_longestTurnMs; }

private:
    app::MainWindow& m_window;
    QString m_out;
    double m_longestTurnMs = 0.0;
};

} // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    std::setlocale(LC_NUMERIC, "C");
    const QStringList arguments = QApplication::arguments();
    if (arguments.size() < 4) {
        std::cerr << "window_run MODEL_FOLDER PROMPT_FILE OUT_FOLDER [DEVICE]\n";
        return 2;
    }
    app::StartOptions options;
    options.path = arguments[1];
    options.promptFile = arguments[2];
    options.device = arguments.value(4, QStringLiteral("cuda:0"));
    options.theme = QStringLiteral("light");

    app::Workspace workspace;
    workspace.controller.setDevice(options.device);
    app::MainWindow window(workspace);
    window.resize(1600, 1000);
    window.show();
    WindowRun run(window, arguments[3]);
    json out;
    const auto step = [&](const char* name, const QString& file) {
        const double ms = run.settle();
        out[name] = ms;
        return ms >= 0.0 && run.picture(window, file);
    };
    window.start(options);
    bool good = step("open_and_analyse_ms", QStringLiteral("1-analysed.png"));
    if (good) {
        run.drag(testing::rateSlider(window, testing::RateSlider::Tsp), 0.7, 0.55);
        good = step("tsp_rate_exact_ms", QStringLiteral("2-tsp-rate.png"));
    }
    if (good) {
        run.drag(testing::rateSlider(window, testing::RateSlider::Kv), 0.57, 0.4);
        good = step("kv_budget_exact_ms", QStringLiteral("3-kv-budget.png"));
    }
    if (good) {
        workspace.controller.measure();
        good = step("measure_ms", QStringLiteral("4-measured.png"));
    }
    const trace::RunPtr shown = workspace.shown.run();
    if (viz::Panel* timing = window.board().panel(QStringLiteral("timing")); timing && good) {
        window.board().maximise(timing);
        for (int view = 0; view < timing->viewNames().size(); ++view) {
            timing->setView(view);
            good = run.picture(window, QStringLiteral("5-timing-%1.png").arg(view)) && good;
        }
    }
    if (shown) {
        out["device"] = shown->machine.device;
        out["tokens"] = shown->tokens();
        out["spans"] = shown->timing.spans.size();
        out["gpu_samples"] = shown->timing.gpu.size();
        good = good && (options.device == QLatin1String("cpu") || !shown->timing.gpu.empty());
    }
    out["longest_event_turn_ms"] = run.longestTurnMs();
    std::cout << out.dump(2) << '\n';
    return good && shown ? 0 : 1;
}
