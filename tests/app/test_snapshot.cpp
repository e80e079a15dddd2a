// SPDX-License-Identifier: GPL-3.0-or-later
// The program itself: pictures without a display, and what it says when it cannot.
#include "app/run/settings_text.h"
#include "engine/io/trace_file.h"

#include <QFileInfo>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

namespace {

constexpr int kPatienceMs = 120000;

struct Outcome {
    int code = -1;
    QString errors;
};

Outcome launch(const QStringList& arguments) {
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
        environment.remove(QLatin1String(name));
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral(FKV_SCOPE), arguments);
    if (!process.waitForFinished(kPatienceMs)) process.kill();
    process.waitForFinished();
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
            QString::fromUtf8(process.readAllStandardError())};
}

} // namespace

class TestSnapshot : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void pictures_data() {
        QTest::addColumn<QStringList>("options");
        QTest::addColumn<QSize>("pixels");
        QTest::addRow("window") << QStringList{} << QSize(1280, 800);
        QTest::addRow("twice as fine, dark")
            << QStringList{QStringLiteral("--scale"), QStringLiteral("2"),
                           QStringLiteral("--theme"), QStringLiteral("dark")}
            << QSize(2560, 1600);
        QTest::addRow("one panel")
            << QStringList{QStringLiteral("--panel"), QStringLiteral("tokens"),
                           QStringLiteral("--size"),  QStringLiteral("640x480"),
                           QStringLiteral("--scale"), QStringLiteral("1.5")}
            << QSize(960, 720);
    }
    void pictures() {
        QFETCH(QStringList, options);
        QFETCH(QSize, pixels);
        const QString path = m_folder.filePath(QStringLiteral("picture.png"));
        QFile::remove(path);
        const Outcome outcome = launch(QStringList{QStringLiteral("--snapshot"), path} + options);
        QCOMPARE(outcome.errors, QString());
        QCOMPARE(outcome.code, 0);
        const QImage picture(path);
        QCOMPARE(picture.size(), pixels);
        // Something is on it: many colours, and text.
        QSet<QRgb> colours;
        for (int y = 0; y < picture.height(); y += 3)
            for (int x = 0; x < picture.width(); x += 3)
                colours.insert(picture.pixel(x, y));
        QVERIFY(colours.size() > 50);
    }

    void theRunOfThePictureIsSaved() {
        const QString picture = m_folder.filePath(QStringLiteral("run.png"));
        const QString trace = m_folder.filePath(QStringLiteral("run.safetensors"));
        const Outcome outcome =
            launch({QStringLiteral("--snapshot"), picture, QStringLiteral("--save-trace"), trace});
        QCOMPARE(outcome.errors, QString());
        QCOMPARE(outcome.code, 0);
        const fkv::trace::RunPtr run = fkv::io::openTrace(trace.toStdString());
        QCOMPARE(run->prompt->expected, std::string("gentle needle"));
        QCOMPARE(run->fastkvAnswer->firstLine(), run->prompt->expected);
        // And it opens in the window of the next start.
        QFile::remove(picture);
        QCOMPARE(launch({trace, QStringLiteral("--snapshot"), picture}).code, 0);
        QVERIFY(QFile::exists(picture));
        QCOMPARE(launch({QStringLiteral("--snapshot"), picture, QStringLiteral("--save-trace"),
                         m_folder.filePath(QStringLiteral("no/where/run.safetensors"))})
                     .code,
                 1);
    }

    void theCopiedCommandLineRuns() {
        using namespace fkv;
        trace::Settings settings{.tspLayer = 6};
        settings.tsp = trace::Amount::ofTokens(300);
        settings.kv = trace::Amount::ofRate(0.05);
        settings.kernel = 5;
        settings.pooling = trace::Pooling::Average;
        settings.generate = 2;
        settings.sampling = {0.7, 40, 0.95, 4294967295U};
        const QString command = app::commandLine(
            settings, {QStringLiteral(FKV_RESOURCES "/models/demo"),
                       QStringLiteral(FKV_RESOURCES "/prompts/password.txt"), QString()});
        QProcess shell;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("PATH"),
                           QFileInfo(QStringLiteral(FKV_SCOPE)).absolutePath() + QLatin1Char(':') +
                               environment.value(QStringLiteral("PATH")));
        shell.setProcessEnvironment(environment);
        shell.start(QStringLiteral("/bin/sh"),
                    {QStringLiteral("-c"), command + QStringLiteral(" --json")});
        QVERIFY(shell.waitForFinished(kPatienceMs));
        QVERIFY2(shell.exitCode() == 0, shell.readAllStandardError().constData());
        const auto report = nlohmann::json::parse(shell.readAllStandardOutput().toStdString());
        QCOMPARE(report["prompt"]["tokens"].get<int>(), 1447);
        QCOMPARE(report["settings"]["tsp_layer"].get<int>(), 6);
        QCOMPARE(report["settings"]["kernel"].get<int>(), 5);
        QCOMPARE(report["settings"]["pooling"].get<std::string>(), std::string("avg"));
        QCOMPARE(report["settings"]["generate"].get<int>(), 2);
        QCOMPARE(report["settings"]["temperature"].get<double>(), 0.7);
        QCOMPARE(report["settings"]["top_k"].get<int>(), 40);
        QCOMPARE(report["settings"]["top_p"].get<double>(), 0.95);
        QCOMPARE(report["settings"]["seed"].get<std::uint32_t>(), 4294967295U);
        QCOMPARE(report["achieved"]["tsp_tokens"].get<int>(), 300);
    }

    void faults_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<int>("code");
        const QString picture = m_folder.filePath(QStringLiteral("fault.png"));
        const auto with = [&](const QStringList& more) {
            return QStringList{QStringLiteral("--snapshot"), picture} + more;
        };
        QTest::addRow("no such model") << with({QStringLiteral("/no/such/model")}) << 1;
        QTest::addRow("no such prompt")
            << with({QStringLiteral("--prompt-file"), QStringLiteral("/no/such/prompt")}) << 1;
        QTest::addRow("no such panel")
            << with({QStringLiteral("--panel"), QStringLiteral("nonsense")}) << 1;
        QTest::addRow("folder missing")
            << QStringList{QStringLiteral("--snapshot"),
                           m_folder.filePath(QStringLiteral("no/where/a.png"))}
            << 1;
        QTest::addRow("no display") << QStringList{} << 1;
        QTest::addRow("size") << with({QStringLiteral("--size"), QStringLiteral("12")}) << 2;
        QTest::addRow("scale") << with({QStringLiteral("--scale"), QStringLiteral("99")}) << 2;
        QTest::addRow("theme") << with({QStringLiteral("--theme"), QStringLiteral("pink")}) << 2;
        QTest::addRow("unknown") << QStringList{QStringLiteral("--nonsense")} << 2;
    }
    void faults() {
        QFETCH(QStringList, arguments);
        QFETCH(int, code);
        const Outcome outcome = launch(arguments);
        QCOMPARE(outcome.code, code);
        QVERIFY2(outcome.errors.startsWith(QStringLiteral("fastkv-scope: error: ")),
                 qPrintable(outcome.errors));
        QCOMPARE(outcome.errors.count(QLatin1Char('\n')), 1);
        QVERIFY(!QFile::exists(m_folder.filePath(QStringLiteral("fault.png"))));
    }

private:
    QTemporaryDir m_folder;
};

QTEST_GUILESS_MAIN(TestSnapshot)
#include "test_snapshot.moc"
