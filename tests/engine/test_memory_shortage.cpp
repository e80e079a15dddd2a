// SPDX-License-Identifier: Apache-2.0
// Memory that runs out at any allocation ends the request, and only that: the session goes on. The
// same on a GPU, where there is one.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/failing_backend.h"
#include "tests/support/fit_steps.h"
#include "tests/support/tiny_model.h"

#include <algorithm>

using namespace fkv;
using namespace fkv::testing;

namespace {

/// The name of the first device of a kind, or empty.
std::string deviceLike(const std::string& kind) {
    const auto names = ops::availableDevices();
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const std::string& n) { return n.starts_with(kind); });
    return found == names.end() ? std::string() : *found;
}

class Shortages : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        device = deviceLike(GetParam());
        if (device.empty()) GTEST_SKIP() << "no " << GetParam() << " device on this machine";
        folder = writeTinyModel({.hidden = 64, .intermediate = 96, .queryHeads = 4, .headDim = 32},
                                "shortage");
        request.settings.generate = 4;
    }
    std::unique_ptr<run::Session> open() {
        Recorder recorder;
        return run::Session::open(
            folder, std::make_unique<FailingBackend>(ops::makeBackend({device, 1}), shortage),
            recorder, {});
    }
    /// Fails the k-th allocation of `task` for every k, each time followed by `check`; returns how
    /// many there were.
    template <class Task, class Check>
    std::int64_t failEach(const Task& task, const Check& check) {
        for (std::int64_t k = 1;; ++k) {
            shortage.restart(k);
            try {
                task();
                // A shortage that is no fault: figures can do without their floor.
                const std::int64_t asked = shortage.asked;
                shortage.restart(0);
                if (asked < k) return asked;
            } catch (const Error& e) {
                EXPECT_EQ(e.code(), ErrorCode::OutOfMemory) << e.what();
                EXPECT_EQ(shortage.asked, k) << "goes on after a shortage";
                shortage.restart(0);
                check(k);
            }
            if (HasFailure()) return 0;
        }
    }

    std::string device;
    std::filesystem::path folder;
    Shortage shortage;
    run::Request request = requestFor(randomIds(200, 3), 3);
};

TEST_P(Shortages, AnAnalysisThatRunsOutEndsAndTheNextOneWorks) {
    shortage.ofItsOwn = true; // so that host memory is a step, too
    const auto session = open();
    const run::FitReport need = session->fit(200, request);
    const auto bareIn = [&](std::int64_t limit) {
        return bareBytes(fitIn(*session, request, limit));
    };
    const std::int64_t all = need.neededBytes(), bare = bareIn(0),
                       full = need.totalBytes(need.full);
    std::int64_t most = 0;
    // Everything; best tokens; these on the host; no late keys and values; all on the host; and
    // the deployed path with and without full context.
    for (const std::int64_t limit :
         {std::int64_t{0}, all - 1, bare, bare - 1, bareIn(bare - 1) - 1, full, full - 1}) {
        SCOPED_TRACE(limit);
        request.memory.limitBytes = limit;
        const trace::RunPtr expected = analyse(*session, request);
        // Another prompt in between, so that everything is made anew.
        run::Request other = request;
        other.prompt.ids = randomIds(90, 4);
        analyse(*session, other);
        const std::int64_t count =
            failEach([&] { analyse(*session, request); },
                     [&](std::int64_t k) {
                         const trace::RunPtr again = analyse(*session, request);
                         ASSERT_EQ(again->rung, expected->rung) << k;
                         ASSERT_EQ(again->fastkv->logits, expected->fastkv->logits) << k;
                         if (expected->full) expectSameRun(*again, *expected);
                         analyse(*session, other);
                     });
        EXPECT_GT(count, 0);
        most = std::max(most, count);
    }
    std::printf("%lld allocations at most\n", static_cast<long long>(most));
}

TEST_P(Shortages, ChangesThatRunOutLeaveAUsableSession) {
    const auto session = open();
    run::Request changed = request;
    changed.settings.tsp = trace::Amount::ofRate(0.5);
    changed.settings.kv = trace::Amount::ofRate(0.4);
    changed.settings.window = 16;
    changed.settings.generate = 6;
    analyse(*session, request);
    const trace::RunPtr expected = analyse(*session, changed);
    analyse(*session, request);
    failEach([&] { analyse(*session, changed); },
             [&](std::int64_t) {
                 expectSameRun(*analyse(*session, changed), *expected);
                 analyse(*session, request);
             });
}

TEST_P(Shortages, AMeasurementThatRunsOutEndsAndTheNextOneWorks) {
    const auto session = open();
    Recorder recorder;
    failEach([&] { session->measure(request, 1, recorder, {}); },
             [&](std::int64_t k) {
                 const trace::RunPtr run = session->measure(request, 1, recorder, {});
                 ASSERT_EQ(run->timing.standaloneFullMs.size(), 1U) << k;
             });
}

TEST_P(Shortages, AModelThatDoesNotFitIsNotOpened) {
    EXPECT_GT(failEach([&] { open(); }, [](std::int64_t) {}), 10);
    EXPECT_NE(open(), nullptr);
}

TEST_P(Shortages, WeightsThatHaveNoRoomAreNotRead) {
    shortage.availableBytes = 1 << 20;
    try {
        open();
        ADD_FAILURE() << "opened";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::OutOfMemory);
        EXPECT_NE(std::string(e.what()).find("the weights need"), std::string::npos) << e.what();
    }
    EXPECT_EQ(shortage.asked, 0);
}

TEST_P(Shortages, WhatOthersTakeIsGivenUp) {
    const auto session = open();
    const trace::RunPtr all = analyse(*session, request);
    ASSERT_EQ(all->rung, trace::Rung::Everything);
    const run::FitReport need = session->fit(200, request);
    // What is held stays usable; a tenth of what is left is not ours.
    shortage.availableBytes = 1000;
    EXPECT_NEAR(static_cast<double>(session->fit(200, request).roomBytes),
                static_cast<double>(all->counters.heldBytes + 900),
                need.hostMemory ? 1.0 : static_cast<double>(all->counters.planeBytes) + 1.0);
    expectSameRun(*analyse(*session, request), *all);
    EXPECT_EQ(session->lastWork().fullRows, 0);
    shortage.availableBytes = 0;
    const auto late = open();
    shortage.availableBytes = 1;
    const std::int64_t missing = need.totalBytes(need.full) - late->fit(200, request).roomBytes;
    ASSERT_GT(missing, 0);
    shortage.availableBytes = missing * 10 / 9 + 10;
    EXPECT_EQ(analyse(*late, request)->rung, trace::Rung::Deployed);
    shortage.availableBytes = missing;
    EXPECT_EQ(analyse(*late, request)->rung, trace::Rung::FastKvAlone) << "a tenth is not ours";
}

INSTANTIATE_TEST_SUITE_P(Devices, Shortages, ::testing::Values("cpu", "cuda"));

} // namespace
