// SPDX-License-Identifier: Apache-2.0
// Cancelled at any moment, a session stays usable, earlier runs stay as they were, and the next
// result has the bits of a fresh session.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

using namespace fkv;
using namespace fkv::testing;

namespace {

run::Request shortRequest(std::uint32_t seed) {
    run::Request request = requestFor(randomIds(sized(620), seed));
    request.settings.generate = 4;
    return request;
}

/// Requests a stop at the `at`th thing it is told.
class StopAt : public run::Observer {
public:
    explicit StopAt(int at) : m_at(at) {}
    void progress(const run::Progress&) override { count(); }
    void published(const trace::RunPtr&) override { count(); }
    std::stop_token token() const { return m_stop.get_token(); }

private:
    void count() {
        if (m_at-- == 0) m_stop.request_stop();
    }
    int m_at;
    std::stop_source m_stop;
};

/// True when the analysis was cancelled, false when it was done before.
template <class Task>
bool cancelled(const Task& task) {
    try {
        task();
        return false;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled) << error.what();
        return true;
    }
}

TEST(Cancel, AtEveryStepTheSessionStaysSound) {
    const run::Request first = shortRequest(1);
    run::Request second = shortRequest(1);
    second.prompt.ids->back() = 301; // keys of the first chunk are used again
    second.settings.window = 20;
    const trace::RunPtr firstFresh = analyse(*openDemo(), first);
    const trace::RunPtr secondFresh = analyse(*openDemo(), second);
    const auto session = openDemo();
    trace::RunPtr before = analyse(*session, first);
    int at = 0;
    for (;; at += kThreadSanitizer ? 9 : 1) {
        SCOPED_TRACE(at);
        StopAt observer(at);
        // The last report comes when everything is done.
        if (!cancelled([&] { session->analyse(second, observer, observer.token()); })) break;
        expectSameRun(*before, *firstFresh);
        if (at % 4 == 0) expectSameRun(*analyse(*session, second), *secondFresh);
        before = analyse(*session, first);
        expectSameRun(*before, *firstFresh);
        if (HasFailure()) break;
    }
    EXPECT_GT(at, 20);
}

TEST(Cancel, AtRandomMomentsOfAnyChangeTheNextResultIsThatOfAFreshSession) {
    std::mt19937 random(7);
    const auto session = openDemo();
    const run::Request base = shortRequest(2);
    analyse(*session, base);
    int stopped = 0;
    for (int round = 0; round < (kThreadSanitizer ? 10 : 40); ++round) {
        run::Request request = base;
        switch (round % 5) {
        case 0:
            request.prompt.ids->at(random() % base.prompt.ids->size()) = 333;
            break;
        case 1:
            request.settings.tspLayer = static_cast<int>(random() % 15);
            break;
        case 2:
            request.settings.window = 1 + static_cast<int>(random() % 64);
            break;
        case 3:
            request.settings.kv = trace::Amount::ofRate(0.02 + 0.01 * (random() % 90));
            break;
        default:
            request.prompt.ids =
                randomIds(sized(300 + random() % 600), static_cast<std::uint32_t>(random()));
        }
        std::stop_source stop;
        const auto delay = std::chrono::microseconds(random() % (round % 5 == 3 ? 10000 : 150000));
        {
            const std::jthread stopper([&] {
                std::this_thread::sleep_for(delay);
                stop.request_stop();
            });
            Recorder recorder;
            stopped +=
                cancelled([&] { session->analyse(request, recorder, stop.get_token()); }) ? 1 : 0;
        }
        SCOPED_TRACE(round);
        if (round % 4 == 0) {
            expectSameRun(*analyse(*session, request), *analyse(*openDemo(), request));
            if (HasFailure()) break;
        }
    }
    RecordProperty("stopped", stopped);
    expectSameRun(*analyse(*session, base), *analyse(*openDemo(), base));
}

TEST(Cancel, MeasuringCanBeStoppedToo) {
    const auto session = openDemo();
    const run::Request request = shortRequest(3);
    const trace::RunPtr run = analyse(*session, request);
    for (const int at : {2, 3, 4, 5}) {
        StopAt observer(at);
        EXPECT_TRUE(cancelled([&] { session->measure(request, 2, observer, observer.token()); }));
        expectSameRun(*analyse(*session, request), *run);
    }
}

TEST(Cancel, AStopBeforeTheStartDoesNothing) {
    std::stop_source stop;
    stop.request_stop();
    const auto session = openDemo();
    Recorder recorder;
    EXPECT_TRUE(cancelled([&] { session->analyse(shortRequest(4), recorder, stop.get_token()); }));
    EXPECT_TRUE(recorder.runs.empty());
    EXPECT_EQ(session->lastWork().fullRows, 0);
}

TEST(Cancel, AHeldEngineWaitsAtItsNextOpAndCanStillBeStopped) {
    const auto session = openDemo();
    const run::Request request = shortRequest(5);
    session->gate().hold();
    std::atomic<bool> done{false};
    trace::RunPtr run;
    std::jthread engine([&] {
        run = analyse(*session, request);
        done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(done);
    session->gate().release();
    engine.join();
    expectSameRun(*run, *analyse(*openDemo(), request));

    session->gate().hold();
    std::stop_source stop;
    std::jthread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        stop.request_stop();
    });
    run::Request other = request;
    other.settings.tspLayer = 3;
    Recorder recorder;
    EXPECT_TRUE(cancelled([&] { session->analyse(other, recorder, stop.get_token()); }));
    session->gate().release();
}

} // namespace
