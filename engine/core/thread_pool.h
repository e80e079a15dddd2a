// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace fkv {

/// A fixed set of threads that run index ranges. The caller takes part, so a pool of 1 has no thread.
/// One parallelFor at a time; a nested call from inside a task runs serially in that thread.
class ThreadPool {
public:
    /// `threads` >= 1 counts the caller; 0 means one per processor.
    explicit ThreadPool(int threads = 0);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const;
    /// Calls task(i, worker) once for every i in [0, count), worker in [0, threads()); tasks are taken
    /// dynamically in index order. Returns when all are done; the first exception is rethrown. Results
    /// must not depend on which worker ran a task.
    void parallelFor(std::size_t count, const std::function<void(std::size_t, int)>& task);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace fkv
