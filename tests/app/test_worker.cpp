// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's thread when its device fails: what is open is opened again, and nothing else
// changes.
#include "app/run/worker.h"
#include "tests/app/engine_fixture.h"
#include "tests/support/failing_backend.h"
#include "tests/support/tiny_model.h"

#include <QSignalSpy>
#include <QTest>

using namespace fkv;
using namespace fkv::app;
using namespace fkv::testing;

class TestWorker : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void aDeviceThatFailsIsOpenedAgain();
    void whatCannotBeOpenedAgainIsTriedAgain();
    void memoryThatRunsOutKeepsTheSession();

private:
    /// Waits for the end of the request: was it this signal?
    template <class Signal>
    bool endsWith(Signal signal) {
        const QSignalSpy end(m_worker.get(), signal);
        return QTest::qWaitFor([this] { return !m_worker->busy(); }, kPatienceMs) &&
               end.count() == 1;
    }
    std::vector<std::int32_t> answer();
    bool fails(ErrorCode code);

    Shortage m_shortage;
    bool m_gone = false; ///< the device, so that nothing can be opened
    int m_opened = 0;
    run::Request m_request;
    std::unique_ptr<Worker> m_worker; ///< last: its thread uses the others
};

void TestWorker::init() {
    m_shortage = {};
    m_gone = false;
    m_opened = 0;
    m_request = {};
    m_request.settings.tspLayer = 1;
    m_request.settings.generate = 4;
    m_worker =
        std::make_unique<Worker>([this](const std::filesystem::path& folder, const ops::DeviceSpec&,
                                        run::Observer& observer, const std::stop_token& stop) {
            ++m_opened;
            if (m_gone) throw Error(ErrorCode::Device, "the device is gone");
            return run::Session::open(
                folder, std::make_unique<FailingBackend>(ops::makeBackend({"cpu", 1}), m_shortage),
                observer, stop);
        });
    m_worker->open(QString::fromStdString(writeTinyModel({}, "worker").string()), {"cpu", 1});
    QVERIFY(endsWith(&Worker::opened));
    QCOMPARE(m_opened, 1);
}

/// Of FastKV to a prompt of 40 tokens; empty when the request failed.
std::vector<std::int32_t> TestWorker::answer() {
    m_request.prompt.ids = std::vector<std::int32_t>(40, 5);
    std::vector<std::int32_t> ids;
    const auto keep =
        connect(m_worker.get(), &Worker::finished, this, [&](const trace::RunPtr& run) {
            for (const trace::AnswerToken& token : run->fastkvAnswer->tokens)
                ids.push_back(token.id);
        });
    m_worker->analyse(m_request);
    (void)endsWith(&Worker::finished);
    disconnect(keep);
    return ids;
}

/// Another prompt, of which the first allocation fails.
bool TestWorker::fails(ErrorCode code) {
    m_shortage.code = code;
    m_shortage.restart(1);
    m_request.prompt.ids = std::vector<std::int32_t>(50, 7);
    m_worker->analyse(m_request);
    const bool failed = endsWith(&Worker::failed);
    m_shortage.restart(0);
    return failed;
}

void TestWorker::aDeviceThatFailsIsOpenedAgain() {
    const auto before = answer();
    QCOMPARE(before.size(), std::size_t{4});
    QVERIFY(fails(ErrorCode::Device));
    QCOMPARE(m_opened, 1); // not before it is needed
    QCOMPARE(answer(), before);
    QCOMPARE(m_opened, 2);
    QCOMPARE(answer(), before);
    QCOMPARE(m_opened, 2);
}

void TestWorker::whatCannotBeOpenedAgainIsTriedAgain() {
    const auto before = answer();
    QVERIFY(fails(ErrorCode::Device));
    m_gone = true;
    QVERIFY(answer().empty());
    QVERIFY(answer().empty());
    QCOMPARE(m_opened, 3);
    m_gone = false;
    QCOMPARE(answer(), before);
    QCOMPARE(m_opened, 4);
}

void TestWorker::memoryThatRunsOutKeepsTheSession() {
    const auto before = answer();
    QVERIFY(fails(ErrorCode::OutOfMemory));
    QCOMPARE(answer(), before);
    QCOMPARE(m_opened, 1);
}

QTEST_GUILESS_MAIN(TestWorker)
#include "test_worker.moc"
