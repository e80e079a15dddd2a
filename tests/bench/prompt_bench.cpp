// SPDX-License-Identifier: GPL-3.0-or-later

// Opens long texts in the real window, drops them on it and types in them, and prints, as JSON, how
// long the window's event loop stood still at most each time:
//     prompt_bench [--megabytes 5] [--keys 20]
// With the demo model open, so that tokens are counted as they are in use.

#include "app/pages/prompt_page.h"
#include "app/window/main_window.h"
#include "app/window/workspace.h"
#include "tests/support/drop_file.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QFile>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <algorithm>
#include <clocale>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace fkv;
using nlohmann::json;

namespace {

constexpr int kTickMs = 1;

/// The longest time without a turn of the event loop.
class Heartbeat {
public:
    Heartbeat() {
        m_clock.start();
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { beat(); });
        m_timer.start(kTickMs);
    }
    /// Of `act` and of all that follows from it until `done`, and half a second more.
    json standstill(const std::function<void()>& act, const std::function<bool()>& done) {
        beat();
        m_longest = 0.0;
        const double begin = nowMs();
        act();
        const double returned = nowMs();
        while (!done() && nowMs() - begin < 60'000.0)
            QApplication::processEvents(QEventLoop::WaitForMoreEvents);
        const double finished = nowMs();
        while (nowMs() - finished < 500.0)
            QApplication::processEvents(QEventLoop::WaitForMoreEvents);
        return {{"longest_ms", m_longest},
                {"call_ms", returned - begin},
                {"done_ms", finished - begin}};
    }

private:
    double nowMs() const { return static_cast<double>(m_clock.nsecsElapsed()) * 1e-6; }
    void beat() {
        const double now = nowMs();
        m_longest = std::max(m_longest, now - m_last - kTickMs);
        m_last = now;
    }
    QElapsedTimer m_clock;
    QTimer m_timer;
    double m_last = 0.0, m_longest = 0.0;
};

struct Text {
    const char* name;
    QByteArray bytes;
};

std::vector<Text> textsOf(qsizetype size) {
    const auto repeated = [size](const QByteArray& piece) {
        return piece.repeated(size / piece.size() + 1).left(size - size % piece.size());
    };
    const QByteArray words =
        "It was a bright cold day in April, and the clocks were striking ten. ";
    QByteArray paragraphs = words.repeated(12) + "\n\n";
    return {
        {"lines", repeated(words.trimmed() + '\n')},
        {"paragraphs", repeated(paragraphs)},
        {"one line", repeated(words)},
        {"han", repeated(QByteArray("四月间，天气寒冷晴朗，钟敲了十三下。").repeated(4) + '\n')}};
}

QString write(const QTemporaryDir& folder, const Text& text) {
    const QString path = folder.filePath(QLatin1String(text.name) + QStringLiteral(".txt"));
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text.bytes) != text.bytes.size())
        qFatal("cannot write %s", qPrintable(path));
    return path;
}

json typing(Heartbeat& heart, app::PromptEditor& editor, int keys) {
    if (editor.isReadOnly()) return "read only";
    editor.moveCursor(QTextCursor::End);
    double longest = 0.0;
    for (int i = 0; i < keys; ++i) {
        QElapsedTimer since;
        since.start();
        const json one = heart.standstill(
            [&] { QTest::keyClick(&editor, static_cast<Qt::Key>(Qt::Key_A + i % 26)); },
            [&] { return since.elapsed() > 20; });
        longest = std::max(longest, one["longest_ms"].get<double>());
    }
    return {{"longest_ms", longest}, {"keys", keys}};
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
    option(QStringLiteral("megabytes"), QStringLiteral("5"));
    option(QStringLiteral("keys"), QStringLiteral("20"));
    parser.addHelpOption();
    parser.process(application);
    const qsizetype size = parser.value(QStringLiteral("megabytes")).toLongLong() * 1'000'000;
    const int keys = parser.value(QStringLiteral("keys")).toInt();

    QTemporaryDir folder;
    json out;
    for (const Text& text : textsOf(size)) {
        const QString path = write(folder, text);
        app::Workspace workspace;
        app::MainWindow window(workspace);
        window.resize(1280, 800);
        window.show();
        workspace.controller.openModel(QStringLiteral(FKV_RESOURCES "/models/demo"));
        auto& page = *window.findChild<app::PromptPage*>();
        Heartbeat heart;
        heart.standstill([] {}, [&] { return workspace.controller.settled(); });
        const auto whole = [&] {
            return workspace.controller.settled() && page.editor().text().size() > size / 4 &&
                   page.editor().ready();
        };
        json here{{"text", text.name}, {"bytes", text.bytes.size()}};
        here["open"] = heart.standstill([&] { window.openPath(path); }, whole);
        here["drop"] = heart.standstill([&] { testing::dropFile(window, path); }, whole);
        here["type"] = typing(heart, page.editor(), keys);
        here["resize"] = heart.standstill([&] { window.resize(1600, 1000); }, [] { return true; });
        here["said"] = window.failure().message.toStdString();
        out.push_back(here);
    }
    std::cout << out.dump(2) << '\n';
    return 0;
}
