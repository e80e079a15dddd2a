// SPDX-License-Identifier: GPL-3.0-or-later

// Moves the real sliders of the real window and prints, as JSON, how long it takes from a mouse
// event to the last paint of all panels:
//     window_bench [--trace FILE] [--tokens 131072] [--layers 32] [--kv-heads 8] [--moves 60]
// The run is synthetic and opened from a trace file, which a child process writes when it is not
// there, so that the memory reported is the window's alone.

#include "app/pages/layer_slider.h"
#include "app/window/main_window.h"
#include "app/window/workspace.h"
#include "engine/io/trace_file.h"
#include "engine/run/session.h"
#include "engine/select/budgets.h"
#include "tests/support/slider_drag.h"
#include "tests/support/synthetic_run.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QProcess>
#include <QSettings>
#include <QTemporaryDir>
#include <algorithm>
#include <clocale>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

using namespace fkv;
using nlohmann::json;

namespace {

/// Without a paint for so long, a move has had its effect; shorter than the wait before an exact
/// run.
constexpr int kQuietMs = 40;
constexpr int kPatienceMs = 2000;

/// Remembers when something was last painted.
class PaintWatch : public QObject {
public:
    explicit PaintWatch(QElapsedTimer& clock) : m_clock(clock) { qApp->installEventFilter(this); }
    void restart() { m_lastMs = -1.0; }
    double lastMs() const { return m_lastMs; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override {
        // The window's update request paints everything that is dirty before it returns.
        if (event->type() == QEvent::UpdateRequest && watched->isWidgetType()) {
            watched->event(event);
            m_lastMs = static_cast<double>(m_clock.nsecsElapsed()) * 1e-6;
            return true;
        }
        return false;
    }

private:
    QElapsedTimer& m_clock;
    double m_lastMs = -1.0;
};

json summary(std::vector<double> ms) {
    if (ms.empty()) return nullptr;
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double share) {
        return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
    };
    return {{"p50", at(0.5)}, {"p95", at(0.95)}, {"max", ms.back()}, {"moves", ms.size()}};
}

double peakMiB() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
    return 0.0;
}

void pump(int ms) {
    QElapsedTimer t;
    t.start();
    while (t.elapsed() < ms)
        QApplication::processEvents(QEventLoop::AllEvents, 5);
}

class SliderBench {
public:
    explicit SliderBench(app::MainWindow& window) : m_window(window) {
        m_clock.start();
        m_watch = std::make_unique<PaintWatch>(m_clock);
    }

    /// Presses the handle's place, moves across a part of the track and back, releases.
    json drag(QWidget* slider, double from, double to, int moves) {
        std::vector<double> ms;
        testing::sendMouse(slider, QEvent::MouseButtonPress, from);
        settle();
        for (int i = 1; i <= moves; ++i) {
            const double phase = static_cast<double>(i) / moves;
            const double share =
                from + (to - from) * (phase < 0.5 ? 2.0 * phase : 2.0 - 2.0 * phase);
            m_watch->restart();
            const double begin = static_cast<double>(m_clock.nsecsElapsed()) * 1e-6;
            testing::sendMouse(slider, QEvent::MouseMove, share);
            settle();
            if (m_watch->lastMs() >= 0.0) ms.push_back(m_watch->lastMs() - begin);
        }
        testing::sendMouse(slider, QEvent::MouseButtonRelease, from);
        pump(400);
        return summary(ms);
    }

private:
    /// Until nothing has been painted for a while.
    void settle() {
        QElapsedTimer quiet;
        quiet.start();
        const double start = static_cast<double>(m_clock.nsecsElapsed()) * 1e-6;
        double seen = m_watch->lastMs();
        while (true) {
            QApplication::processEvents(QEventLoop::AllEvents, 5);
            const double now = static_cast<double>(m_clock.nsecsElapsed()) * 1e-6;
            if (m_watch->lastMs() != seen) {
                seen = m_watch->lastMs();
                quiet.restart();
            }
            const bool painted = seen >= 0.0;
            if ((painted || now - start > 200.0) && quiet.elapsed() > kQuietMs) return;
            if (now - start > kPatienceMs) return;
        }
    }

    app::MainWindow& m_window;
    QElapsedTimer m_clock;
    std::unique_ptr<PaintWatch> m_watch;
};

/// The engine at work on both cores: analyses of the demo model one after the other, stepping aside
/// while a slider is held, as the window's own engine does.
class BusyEngine {
public:
    BusyEngine(const std::string& model, viz::SettingsModel& settings) {
        m_session = run::Session::open(model, {"cpu", 2}, m_observer, {});
        m_hold =
            QObject::connect(&settings, &viz::SettingsModel::changed, &settings, [this, &settings] {
                settings.dragging() ? m_session->gate().hold() : m_session->gate().release();
            });
        m_thread = std::jthread([this](const std::stop_token& stop) { work(stop); });
    }
    ~BusyEngine() {
        QObject::disconnect(m_hold);
        m_session->gate().release();
    }

private:
    void work(const std::stop_token& stop) {
        run::Request request;
        request.settings = select::defaultSettings(m_session->model().layers);
        std::vector<std::int32_t> ids(6000, 400);
        for (std::int32_t turn = 0; !stop.stop_requested(); ++turn) {
            ids[1] = 300 + turn % 1000;
            request.prompt.ids = ids;
            try {
                m_session->analyse(request, m_observer, stop);
            } catch (const std::exception&) {
                return; // stopped
            }
        }
    }
    run::Observer m_observer;
    std::unique_ptr<run::Session> m_session;
    QMetaObject::Connection m_hold;
    std::jthread m_thread;
};

json dragAll(app::MainWindow& window, int moves) {
    SliderBench bench(window);
    json out;
    out["kv_budget"] = bench.drag(testing::rateSlider(window, testing::RateSlider::Kv), 0.57, 0.3, moves);
    out["tsp_rate"] = bench.drag(testing::rateSlider(window, testing::RateSlider::Tsp), 0.7, 0.45, moves);
    out["tsp_layer"] = bench.drag(window.findChild<app::LayerSlider*>(), 0.5, 0.2, moves);
    return out;
}

json openTrace(app::MainWindow& window, const QString& path) {
    QElapsedTimer clock;
    clock.start();
    window.openPath(path);
    const auto& shown = window.workspace().shown;
    double runMs = -1.0;
    while (clock.elapsed() < 60000) {
        QApplication::processEvents(QEventLoop::AllEvents, 5);
        if (runMs < 0.0 && shown.run() && shown.fate()) {
            window.repaint();
            QApplication::processEvents();
            runMs = static_cast<double>(clock.nsecsElapsed()) * 1e-6;
        }
        if (runMs >= 0.0 && window.workspace().controller.settled()) break;
    }
    return {{"shown_ms", runMs}, {"settled_ms", static_cast<double>(clock.nsecsElapsed()) * 1e-6}};
}

int makeTrace(const testing::SyntheticSpec& spec, const QString& path) {
    io::saveTrace(*testing::makeRun(spec), path.toStdString());
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    std::setlocale(LC_NUMERIC, "C");
    QCommandLineParser parser;
    const auto option = [&parser](const QString& name, const QString& value) {
        parser.addOption(QCommandLineOption(name, {}, name, value));
    };
    option(QStringLiteral("trace"), {});
    option(QStringLiteral("tokens"), QStringLiteral("131072"));
    option(QStringLiteral("layers"), QStringLiteral("32"));
    option(QStringLiteral("kv-heads"), QStringLiteral("8"));
    option(QStringLiteral("moves"), QStringLiteral("60"));
    option(QStringLiteral("make"), {});
    parser.addHelpOption();
    parser.process(application);
    const auto number = [&parser](const char* name) {
        return parser.value(QLatin1String(name)).toInt();
    };

    testing::SyntheticSpec spec;
    spec.tokens = number("tokens");
    spec.layers = number("layers");
    spec.kvHeads = number("kv-heads");
    spec.queryHeads = 4 * spec.kvHeads;
    spec.settings = select::defaultSettings(spec.layers);
    spec.saliency = false;
    spec.halfSums = true;
    if (parser.isSet(QStringLiteral("make")))
        return makeTrace(spec, parser.value(QStringLiteral("make")));

    QTemporaryDir folder;
    QString trace = parser.value(QStringLiteral("trace"));
    if (trace.isEmpty()) trace = folder.filePath(QStringLiteral("run.safetensors"));
    if (!QFileInfo::exists(trace)) {
        QStringList again = application.arguments().mid(1);
        again << QStringLiteral("--make") << trace;
        if (QProcess::execute(application.applicationFilePath(), again) != 0) return 1;
    }

    json out;
    out["run"] = {{"tokens", spec.tokens}, {"layers", spec.layers}, {"kv_heads", spec.kvHeads}};
    for (const QSize size : {QSize(1280, 800), QSize(2560, 1440)}) {
        app::Workspace workspace;
        app::MainWindow window(workspace);
        window.resize(size);
        window.show();
        pump(100);
        json here;
        here["size"] = {size.width(), size.height()};
        here["open"] = openTrace(window, trace);
        here["idle"] = dragAll(window, number("moves"));
        {
            const BusyEngine engine(FKV_RESOURCES "/models/demo", workspace.settings);
            here["rerun_in_flight"] = dragAll(window, number("moves"));
        }
        here["peak_mib"] = peakMiB();
        out["sizes"].push_back(here);
    }
    std::cout << out.dump(2) << '\n';
    return 0;
}
