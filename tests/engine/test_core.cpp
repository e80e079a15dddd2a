// SPDX-License-Identifier: Apache-2.0
#include "engine/core/bytes_text.h"
#include "engine/core/dtype.h"
#include "engine/core/error.h"
#include "engine/core/gate.h"
#include "engine/core/host_memory.h"
#include "engine/core/thread_pool.h"
#include "tests/support/temporary_folder.h"

#include <atomic>
#include <chrono>
#include <fstream>
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
            for (std::size_t i = 0; i < count; ++i)
                EXPECT_EQ(calls[i], 1) << i;
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

namespace {

/// A machine of 8 GiB, 6 of them available.
class Machine {
public:
    Machine() {
        write("proc/meminfo", "MemTotal:  8388608 kB\nMemFree: 1 kB\nMemAvailable: 6291456 kB\n");
    }
    void write(const std::string& file, const std::string& text) {
        const std::filesystem::path path = m_folder / file;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }
    HostMemory memory() const { return hostMemory(m_folder.path()); }

private:
    fkv::testing::TemporaryFolder m_folder;
};

constexpr std::int64_t kGiB = 1LL << 30;
std::string gib(std::int64_t count) {
    return std::to_string(count * kGiB) + "\n";
}

} // namespace

TEST(HostMemory, IsTheMachinesUnlessItsGroupHasLess) {
    Machine m;
    EXPECT_EQ(m.memory().totalBytes, 8 * kGiB);
    EXPECT_EQ(m.memory().availableBytes, 6 * kGiB);
    m.write("proc/self/cgroup", "0::/a/b\n");
    m.write("sys/fs/cgroup/a/b/memory.max", "max\n");
    EXPECT_EQ(m.memory().availableBytes, 6 * kGiB);
    // The folder above holds for all below it. Its cache of files gives way.
    m.write("sys/fs/cgroup/a/memory.max", gib(4));
    m.write("sys/fs/cgroup/a/memory.current", gib(3));
    m.write("sys/fs/cgroup/a/memory.stat",
            "anon 1\ninactive_file " + gib(1) + "active_file " + gib(1));
    EXPECT_EQ(m.memory().totalBytes, 4 * kGiB);
    EXPECT_EQ(m.memory().availableBytes, 3 * kGiB);
}

TEST(HostMemory, InAContainerTheGroupIsTheRoot) {
    Machine m;
    m.write("proc/self/cgroup", "0::/\n");
    m.write("sys/fs/cgroup/memory.max", gib(2));
    m.write("sys/fs/cgroup/memory.current", gib(3)); // over it for a moment
    EXPECT_EQ(m.memory().totalBytes, 2 * kGiB);
    EXPECT_EQ(m.memory().availableBytes, 0);
}

TEST(HostMemory, OlderGroupsCount) {
    Machine m;
    m.write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/y\n");
    m.write("sys/fs/cgroup/memory/y/memory.limit_in_bytes", gib(5));
    m.write("sys/fs/cgroup/memory/y/memory.usage_in_bytes", gib(1));
    m.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_EQ(m.memory().totalBytes, 5 * kGiB);
    EXPECT_EQ(m.memory().availableBytes, 4 * kGiB);
}

TEST(HostMemory, ThisMachineHasSome) {
    const HostMemory memory = hostMemory();
    EXPECT_GT(memory.availableBytes, 0);
    EXPECT_LE(memory.availableBytes, memory.totalBytes);
}

TEST(BytesText, HasOneDigit) {
    EXPECT_EQ(bytesText(0), "0 B");
    EXPECT_EQ(bytesText(1023), "1023 B");
    EXPECT_EQ(bytesText(3 * kGiB / 2), "1.5 GiB");
}
