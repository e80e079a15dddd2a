// SPDX-License-Identifier: Apache-2.0
#include "viz/series/parallel.h"

#include <QSemaphore>
#include <QTest>
#include <QThreadPool>
#include <vector>

using fkv::viz::onTwoThreads;

namespace {

std::vector<int> timesRun(std::size_t count) {
    std::vector<int> times(count, 0);
    onTwoThreads(count, [&](std::size_t i) { ++times[i]; });
    return times;
}

}  // namespace

class TestParallel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyTaskRunsOnce() {
        for (const std::size_t count : {0, 1, 2, 3, 1000})
            for (int again = 0; again < 50; ++again)
                QCOMPARE(timesRun(count), std::vector<int>(count, 1));
    }

    void neverWaitsForABusyPool() {
        QThreadPool& pool = *QThreadPool::globalInstance();
        const int threads = pool.maxThreadCount();
        QSemaphore begun, go;
        for (int i = 0; i < threads; ++i)
            pool.start([&] {
                begun.release();
                go.acquire();
            });
        begun.acquire(threads);
        QCOMPARE(timesRun(100), std::vector<int>(100, 1));
        go.release(threads);
        QVERIFY(pool.waitForDone(10'000));
    }
};

QTEST_GUILESS_MAIN(TestParallel)
#include "test_parallel.moc"
