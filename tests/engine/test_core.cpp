// SPDX-License-Identifier: Apache-2.0
#include "engine/core/dtype.h"
#include "engine/core/error.h"
#include "engine/core/gate.h"
#include "engine/core/thread_pool.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace fkv;

TEST(ThreadPool, CallsEveryIndexOnceWithAWorkerInRange) {
    for (int threads : {1, 2, 5}) {
        ThreadPool pool(threads);
        ASSERT_EQ(pool.threads(), threads);
        for (std::size_t count : {0U, 1U, 2U, 3U, 1000U}) {
            std::vector<std::atomic<int>> calls(count);
            std::atomic<bool> inRange = true;
            pool.parallelFor(count, [&](std::size_t i, int worker) {
                ++calls[i];
                if (worker < 0 || worker >= threads) inRange = false;
            });
            EXPECT_TRUE(inRange);
            for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(calls[i], 1) << i;
        }
    }
}

TEST(ThreadPool, DefaultsToTheProcessorsAndRefusesNegatives) {
    EXPECT_GE(ThreadPool().threads(), 1);
    EXPECT_THROW(ThreadPool(-1), Error);
}

TEST(ThreadPool, NestedCallsRunSeriallyAsTheSameWorker) {
    ThreadPool pool(3);
    std::atomic<int> inner = 0;
    std::atomic<bool> same = true;
    pool.parallelFor(20, [&](std::size_t, int worker) {
        const auto thread = std::this_thread::get_id();
        std::size_t expected = 0;
        pool.parallelFor(7, [&](std::size_t i, int w) {
            if (w != worker || thread != std::this_thread::get_id() || i != expected++)
                same = false;
            ++inner;
        });
    });
    EXPECT_EQ(inner, 140);
    EXPECT_TRUE(same);
}

TEST(ThreadPool, RethrowsAndStaysUsable) {
    for (int threads : {1, 4}) {
        ThreadPool pool(threads);
        EXPECT_THROW(pool.parallelFor(100,
                                      [](std::size_t i, int) {
                                          if (i == 13) throw std::runtime_error("thirteen");
                                      }),
                     std::runtime_error);
        std::atomic<int> calls = 0;
        pool.parallelFor(100, [&](std::size_t, int) { ++calls; });
        EXPECT_EQ(calls, 100);
    }
}

TEST(ThreadPool, ManyShortCallsNeverLoseOne) {
    ThreadPool pool(4);
    std::atomic<std::int64_t> total = 0;
    for (int round = 0; round < 2000; ++round)
        pool.parallelFor(5, [&](std::size_t i, int) { total += static_cast<std::int64_t>(i); });
    EXPECT_EQ(total, 20000);
}

TEST(Gate, PassesWhenNotHeldAndWaitsWhenHeld) {
    Gate gate;
    gate.pass({});
    gate.hold();
    std::atomic<bool> passed = false;
    std::jthread engine([&](const std::stop_token& stop) {
        gate.pass(stop);
        passed = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(passed);
    gate.release();
    engine.join();
    EXPECT_TRUE(passed);
}

TEST(Gate, StopEndsTheWaitAsCancelled) {
    Gate gate;
    gate.hold();
    std::stop_source source;
    std::atomic<bool> cancelled = false;
    std::thread engine([&] {
        try {
            gate.pass(source.get_token());
        } catch (const Error& e) {
            cancelled = e.code() == ErrorCode::Cancelled;
        }
    });
    source.request_stop();
    engine.join();
    EXPECT_TRUE(cancelled);
    gate.release();
    EXPECT_THROW(gate.pass(source.get_token()), Error);
}

TEST(DType, SizesAndNames) {
    EXPECT_EQ(sizeOf(DType::BF16), 2U);
    EXPECT_EQ(sizeOf(DType::F64), 8U);
    EXPECT_EQ(sizeOf(DType::Bool), 1U);
    EXPECT_EQ(name(DType::Bool), "BOOL");
}
