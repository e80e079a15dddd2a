// SPDX-License-Identifier: Apache-2.0
#include "engine/core/thread_pool.h"

#include "engine/core/error.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fkv {

namespace {

// What the current thread is doing: a nested call has to run with the worker number that the outer
// task was given, since callers index scratch memory with it.
struct Running {
    const void* pool = nullptr;
    int worker = 0;
};
thread_local Running running;

class RunningScope {
public:
    RunningScope(const void* pool, int worker) : m_before(running) { running = {pool, worker}; }
    ~RunningScope() { running = m_before; }
    RunningScope(const RunningScope&) = delete;
    RunningScope& operator=(const RunningScope&) = delete;

private:
    Running m_before;
};

}  // namespace

struct ThreadPool::State {
    std::mutex callMutex;  // one parallelFor at a time
    std::mutex mutex;
    std::condition_variable started;
    std::condition_variable finished;
    std::uint64_t generation = 0;
    int busy = 0;
    bool ending = false;
    const std::function<void(std::size_t, int)>* task = nullptr;
    std::size_t count = 0;
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::vector<std::thread> workers;

    void end() {
        {
            const std::lock_guard lock(mutex);
            ending = true;
        }
        started.notify_all();
        for (std::thread& t : workers) t.join();
        workers.clear();
    }

    void work(int worker) {
        const RunningScope scope(this, worker);
        try {
            for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1))
                (*task)(i, worker);
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next.store(count);  // what has not begun need not begin
        }
    }

    void serve(int worker) {
        std::uint64_t seen = 0;
        std::unique_lock lock(mutex);
        for (;;) {
            started.wait(lock, [&] { return ending || generation != seen; });
            if (ending) return;
            seen = generation;
            lock.unlock();
            work(worker);
            lock.lock();
            if (--busy == 0) finished.notify_one();
        }
    }
};

ThreadPool::ThreadPool(int threads) : m_state(std::make_unique<State>()) {
    if (threads < 0)
        throw Error(ErrorCode::BadArgument,
                    "the number of threads is " + std::to_string(threads) + ", below 0");
    if (threads == 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    State* state = m_state.get();
    try {
        state->workers.reserve(static_cast<std::size_t>(threads - 1));
        for (int w = 1; w < threads; ++w)
            state->workers.emplace_back([state, w] { state->serve(w); });
    } catch (...) {
        // The destructor does not run for a half-made pool, and a joinable thread would terminate.
        state->end();
        throw;
    }
}

ThreadPool::~ThreadPool() { m_state->end(); }

int ThreadPool::threads() const { return static_cast<int>(m_state->workers.size()) + 1; }

void ThreadPool::parallelFor(std::size_t count, const std::function<void(std::size_t, int)>& task) {
    State& state = *m_state;
    if (count == 0) return;
    if (running.pool == &state) {
        for (std::size_t i = 0; i < count; ++i) task(i, running.worker);
        return;
    }
    const std::lock_guard call(state.callMutex);
    if (state.workers.empty() || count == 1) {
        const RunningScope scope(&state, 0);
        for (std::size_t i = 0; i < count; ++i) task(i, 0);
        return;
    }
    {
        const std::lock_guard lock(state.mutex);
        state.task = &task;
        state.count = count;
        state.next.store(0);
        state.failure = nullptr;
        state.busy = static_cast<int>(state.workers.size());
        ++state.generation;
    }
    state.started.notify_all();
    state.work(0);
    std::exception_ptr failure;
    {
        // Every worker has to report back, even an idle one: the task dies with this call.
        std::unique_lock lock(state.mutex);
        state.finished.wait(lock, [&] { return state.busy == 0; });
        failure = std::exchange(state.failure, nullptr);
        state.task = nullptr;
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace fkv
