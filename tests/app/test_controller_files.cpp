// SPDX-License-Identifier: GPL-3.0-or-later
// Models and traces that come from files, good and bad, with the real engine.
#include "tests/app/engine_fixture.h"

#include <QApplication>
#include <QDir>
#include <QFile>
#include <QTemporaryDir>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;
using Phase = viz::Shown::Phase;

namespace {

QString message(const QSignalSpy& spy) {
    return spy.isEmpty() ? QString() : spy.last().at(0).value<Failure>().message;
}

/// The demo model under another name, with one number of its config changed: another fingerprint.
bool makeOtherModel(const QString& folder) {
    QDir().mkpath(folder);
    const QDir demo(demoModel());
    for (const QString& name : demo.entryList(QDir::Files))
        if (!QFile::link(demo.absoluteFilePath(name), QDir(folder).filePath(name))) return false;
    QFile original(demo.filePath(QStringLiteral("config.json")));
    if (!original.open(QIODevice::ReadOnly)) return false;
    QByteArray config = original.readAll();
    config.replace("\"max_position_embeddings\": 8192", "\"max_position_embeddings\": 4096");
    const QString path = QDir(folder).filePath(QStringLiteral("config.json"));
    QFile::remove(path);
    QFile changed(path);
    return changed.open(QIODevice::WriteOnly) && changed.write(config) == config.size();
}

} // namespace

class TestControllerFiles : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_folder.isValid());
        m_trace = m_folder.filePath(QStringLiteral("run.safetensors"));
    }
    void init() {
        m_workspace = std::make_unique<Workspace>();
        m_failures = std::make_unique<QSignalSpy>(&controller(), &Controller::failed);
    }
    void cleanup() {
        m_failures.reset();
        m_workspace.reset();
    }

    void savesATrace() {
        QVERIFY(startDemo(*m_workspace));
        QSignalSpy saved(&controller(), &Controller::traceSaved);
        controller().saveTrace(m_trace);
        QVERIFY(settle(controller()));
        QCOMPARE(saved.size(), 1);
        QVERIFY(QFile::exists(m_trace));
    }

    void saysWhenATraceCannotBeWritten() {
        QVERIFY(startDemo(*m_workspace));
        controller().saveTrace(m_folder.filePath(QStringLiteral("no/such/folder/run.safetensors")));
        QVERIFY(settle(controller()));
        QCOMPARE(m_failures->size(), 1);
        QVERIFY(shown().phase() == Phase::Done);
    }

    void aRecordedRunPreviews() {
        QSignalSpy prompts(&controller(), &Controller::promptReplaced);
        controller().openTrace(m_trace);
        QVERIFY(settle(controller()));
        QVERIFY(shown().run() && shown().run()->recorded && controller().recorded());
        QVERIFY(shown().phase() == Phase::Done);
        QCOMPARE(prompts.size(), 1);
        QVERIFY(controller().prompt() == samplePrompt(0));
        QVERIFY(m_workspace->selection.firstSpan());
        QVERIFY(!controller().canMeasure());
        QCOMPARE(shown().derived().measured.size(), std::size_t(1));

        trace::Settings s = settings();
        s.tsp = trace::Amount::ofRate(0.35);
        m_workspace->settings.set(s);
        QVERIFY(shown().fate()->settings == s);
        QVERIFY(settle(controller()));
        QVERIFY(shown().fate()->state() == trace::State::Preview);
        QVERIFY(shown().run()->recorded && shown().answersPending());
        m_workspace->settings.undo();
        QVERIFY(!shown().answersPending());
    }

    void aRecordedRunIsScoredAgainAsAPreview() {
        controller().openTrace(m_trace);
        QVERIFY(settle(controller()));
        const auto own = shown().run()->full;
        trace::Settings s = settings();
        s.kernel = 21;
        m_workspace->settings.set(s);
        QVERIFY(settle(controller()));
        QCOMPARE(shown().run()->full->kernel, 21);
        QVERIFY(shown().run()->full->tables);
        QVERIFY(shown().fate()->settings == s);
        for (const trace::LayerFate& layer : shown().fate()->layers)
            QVERIFY(layer.state == trace::State::Preview);
        m_workspace->settings.undo();
        QVERIFY(settle(controller()));
        QCOMPARE(shown().run()->full, own);
        QVERIFY(shown().fate()->layers.front().state == trace::State::Exact);
    }

    void itsModelMakesItLive() {
        controller().openTrace(m_trace);
        QVERIFY(settle(controller()));
        QVERIFY(!controller().modelFits());
        controller().locateModel(demoModel());
        QVERIFY(settle(controller()));
        QVERIFY(m_failures->isEmpty());
        QVERIFY(!controller().recorded() && !shown().run()->recorded && controller().canMeasure());
        QVERIFY(answerHolds(*shown().run()));
        trace::Settings s = settings();
        s.tspLayer = 6;
        m_workspace->settings.set(s);
        QVERIFY(settle(controller()));
        QVERIFY(shown().fate()->state() == trace::State::Exact);
        QVERIFY(!answerHolds(*shown().run()));
    }

    void anotherModelIsRefused() {
        const QString other = m_folder.filePath(QStringLiteral("other"));
        QVERIFY(makeOtherModel(other));
        controller().openTrace(m_trace);
        QVERIFY(settle(controller()));
        controller().locateModel(other);
        QVERIFY(settle(controller()));
        QVERIFY(message(*m_failures).contains(QStringLiteral("not the model")));
        QVERIFY(controller().recorded() && !controller().model());
    }

    void aDamagedTraceLeavesTheRun() {
        QVERIFY(startDemo(*m_workspace));
        const trace::RunPtr before = shown().run();
        const QString damaged = m_folder.filePath(QStringLiteral("damaged.safetensors"));
        QFile::remove(damaged);
        QVERIFY(QFile::copy(m_trace, damaged));
        QFile file(damaged);
        QVERIFY(file.resize(file.size() / 2));
        for (const QString& path :
             {damaged, m_folder.filePath(QStringLiteral("missing.safetensors")),
              demoModel() + QStringLiteral("/model-00001-of-00002.safetensors")}) {
            m_failures->clear();
            controller().openTrace(path);
            QVERIFY(settle(controller()));
            QCOMPARE(m_failures->size(), 1);
            QVERIFY(message(*m_failures).contains(path));
            QCOMPARE(shown().run(), before);
            QVERIFY(shown().phase() == Phase::Done);
        }
        // And the engine still answers.
        trace::Settings s = settings();
        s.tspLayer = 6;
        m_workspace->settings.set(s);
        QVERIFY(settle(controller()));
        QVERIFY(shown().fate()->state() == trace::State::Exact);
    }

    void aBadModelLeavesTheOpenOne() {
        QVERIFY(startDemo(*m_workspace));
        const trace::RunPtr before = shown().run();
        controller().openModel(m_folder.path());
        QVERIFY(settle(controller()));
        QCOMPARE(m_failures->size(), 1);
        QVERIFY(shown().phase() == Phase::Failed && !shown().phaseText().isEmpty());
        QCOMPARE(shown().run(), before);
        QVERIFY(controller().canMeasure());
        controller().dismissFailure();
        QVERIFY(shown().phase() == Phase::Done);
        controller().run();
        QVERIFY(settle(controller()));
        QVERIFY(shown().phase() == Phase::Done);
    }

    void badPromptsLeaveTheRun() {
        QVERIFY(startDemo(*m_workspace));
        const trace::RunPtr before = shown().run();
        for (const QString& text : {QString(), QStringLiteral("word ").repeated(20000)}) {
            m_failures->clear();
            controller().setPrompt({.text = text});
            controller().run();
            QVERIFY(settle(controller()));
            QCOMPARE(m_failures->size(), 1);
            QVERIFY(shown().phase() == Phase::Failed);
            QCOMPARE(shown().run(), before);
        }
    }

    void shortPromptsAreFine() {
        // One token, fewer than the window, as many as it, one more.
        for (const QString& text :
             {QStringLiteral("a"), QStringLiteral("one two"), QStringLiteral("a b c d e f g"),
              QStringLiteral("a b c d e f g h")}) {
            m_workspace = std::make_unique<Workspace>();
            QVERIFY2(startDemo(*m_workspace, {.text = text}), qPrintable(shown().phaseText()));
            QVERIFY(shown().fate() && shown().run()->fastkvAnswer);
        }
    }

    void runWithoutAModelSaysSo() {
        controller().setPrompt(samplePrompt(0));
        controller().run();
        QCOMPARE(m_failures->size(), 1);
        QVERIFY(shown().phase() == Phase::Failed);
    }

private:
    Controller& controller() { return m_workspace->controller; }
    viz::Shown& shown() { return m_workspace->shown; }
    const trace::Settings& settings() { return m_workspace->settings.settings(); }

    QTemporaryDir m_folder;
    QString m_trace;
    std::unique_ptr<Workspace> m_workspace;
    std::unique_ptr<QSignalSpy> m_failures;
};

QTEST_MAIN(TestControllerFiles)
#include "test_controller_files.moc"
