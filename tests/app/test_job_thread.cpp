// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/job_thread.h"

#include <QTest>
#include <atomic>
#include <future>
#include <string>

using fkv::app::JobThread;

namespace {

/// A job that says when it has begun and then runs until it is stopped.
struct Endless {
    std::promise<void> begun;
    std::atomic<bool> stopped = false;
    JobThread::Job job() {
        return [this](const std::stop_token& stop) {
            begun.set_value();
            while (!stop.stop_requested())
                std::this_thread::yield();
            stopped = true;
        };
    }
};

} // namespace

class TestJobThread : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void runsWhatItIsGiven() {
        std::promise<std::thread::id> ran;
        JobThread thread;
        thread.submit([&](const std::stop_token&) { ran.set_value(std::this_thread::get_id()); });
        QVERIFY(ran.get_future().get() != std::this_thread::get_id());
        QTRY_VERIFY(!thread.busy());
    }

    void aNewerJobStopsTheRunningOne() {
        Endless first;
        std::promise<bool> firstWasOver;
        JobThread thread;
        thread.submit(first.job());
        first.begun.get_future().wait();
        QVERIFY(thread.busy());
        thread.submit([&](const std::stop_token&) { firstWasOver.set_value(first.stopped); });
        QVERIFY(firstWasOver.get_future().get());
    }

    void onlyTheNewestWaitingJobRuns() {
        Endless first;
        std::string ran;
        std::promise<void> done;
        JobThread thread;
        thread.submit(first.job());
        first.begun.get_future().wait();
        std::promise<void> gate;
        std::promise<void> blocking;
        auto open = gate.get_future().share();
        // Runs after the first, deaf to its stop, so that the next two both wait behind it.
        thread.submit([&, open](const std::stop_token&) {
            blocking.set_value();
            open.wait();
        });
        blocking.get_future().wait();
        thread.submit([&](const std::stop_token&) { ran += 'a'; });
        thread.submit([&](const std::stop_token&) {
            ran += 'b';
            done.set_value();
        });
        gate.set_value();
        done.get_future().wait();
        QCOMPARE(ran, std::string("b"));
    }

    void cancelStopsAndForgets() {
        Endless first;
        std::promise<void> gate, blocking;
        bool ran = false;
        JobThread thread;
        thread.submit(first.job());
        first.begun.get_future().wait();
        thread.submit([&](const std::stop_token&) {
            blocking.set_value();
            gate.get_future().wait();
        });
        blocking.get_future().wait();
        thread.submit([&](const std::stop_token&) { ran = true; });
        thread.cancel();
        gate.set_value();
        QTRY_VERIFY(!thread.busy());
        QVERIFY(first.stopped);
        QVERIFY(!ran);
    }

    void theDestructorStopsAndJoins() {
        Endless first;
        {
            JobThread thread;
            thread.submit(first.job());
            first.begun.get_future().wait();
        }
        QVERIFY(first.stopped);
    }

    void aJobIsFreedBeforeTheThreadIsIdle() {
        auto held = std::make_shared<int>(1);
        JobThread thread;
        thread.submit([held](const std::stop_token&) {});
        QTRY_VERIFY(!thread.busy());
        QCOMPARE(held.use_count(), 1L);
    }
};

QTEST_GUILESS_MAIN(TestJobThread)
#include "test_job_thread.moc"
