// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/inbox.h"

#include <QTest>
#include <memory>
#include <thread>
#include <vector>

using fkv::viz::Inbox;

class TestInbox : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void callsRunInItsThreadInTheirOrder() {
        constexpr int kThreads = 4, kCalls = 200;
        Inbox inbox;
        std::vector<std::vector<int>> got(kThreads);
        const auto here = std::this_thread::get_id();
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < kThreads; ++t)
                threads.emplace_back([&, t] {
                    for (int i = 0; i < kCalls; ++i)
                        inbox.post([&, t, value = std::make_shared<int>(i)] {
                            QCOMPARE(std::this_thread::get_id(), here);
                            got[static_cast<std::size_t>(t)].push_back(*value);
                        });
                });
        }
        const auto count = [&] {
            std::size_t sum = 0;
            for (const auto& calls : got)
                sum += calls.size();
            return sum;
        };
        QCOMPARE(count(), 0U);
        QTRY_COMPARE(count(), static_cast<std::size_t>(kThreads * kCalls));
        for (const auto& calls : got)
            for (int i = 0; i < kCalls; ++i)
                QCOMPARE(calls[static_cast<std::size_t>(i)], i);
    }

    void aCallMayPostAndRunAnEventLoop() {
        Inbox inbox;
        QStringList said;
        inbox.post([&] {
            inbox.post([&] { said << QStringLiteral("inner"); });
            QTRY_COMPARE(said.size(), 1);
            said << QStringLiteral("outer");
        });
        QTRY_COMPARE(said, (QStringList{QStringLiteral("inner"), QStringLiteral("outer")}));
    }

    void whatIsLeftGoesWithIt() {
        const auto carried = std::make_shared<int>(1);
        bool ran = false;
        {
            Inbox inbox;
            inbox.post([&ran, carried] { ran = true; });
            QCOMPARE(carried.use_count(), 2L);
        }
        QCoreApplication::processEvents();
        QVERIFY(!ran);
        QCOMPARE(carried.use_count(), 1L);
    }
};

QTEST_MAIN(TestInbox)
#include "test_inbox.moc"
