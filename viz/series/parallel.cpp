// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/parallel.h"

#include <QThreadPool>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace fkv::viz {
namespace {

struct Work {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable left;
    bool active = false;
    bool closed = false;  ///< the caller has returned: `task` is gone
};

void take(Work& work, std::size_t count, const std::function<void(std::size_t)>& task) {
    for (std::size_t i = work.next++; i < count; i = work.next++) task(i);
}

}  // namespace

void onTwoThreads(std::size_t count, const std::function<void(std::size_t)>& task) {
    if (count < 2) {
        if (count == 1) task(0);
        return;
    }
    const auto work = std::make_shared<Work>();
    QThreadPool::globalInstance()->tryStart([work, count, &task] {
        {
            const std::lock_guard lock(work->mutex);
            if (work->closed) return;
            work->active = true;
        }
        take(*work, count, task);
        const std::lock_guard lock(work->mutex);
        work->active = false;
        work->left.notify_one();
    });
    take(*work, count, task);
    std::unique_lock lock(work->mutex);
    work->closed = true;
    work->left.wait(lock, [&work] { return !work->active; });
}

}  // namespace fkv::viz
