// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/rescoring.h"

#include "engine/core/error.h"
#include "engine/select/rescore.h"
#include "engine/select/stabilization.h"

#include <functional>
#include <utility>

namespace fkv::app {
namespace {

trace::RunPtr withFull(const trace::Run& run, std::shared_ptr<const trace::FullPass> full) {
    auto made = std::make_shared<trace::Run>(run);
    made->full = std::move(full);
    return made;
}

/// Calls `tell` with the rescored run, then with the one that has its tables too.
void rescore(const trace::Run& run, const select::Pooling& pooling, const std::stop_token& stop,
             const std::function<void(trace::RunPtr, bool last)>& tell) {
    ThreadPool pool(2);
    const auto full = select::rescore(*run.full, pooling, pool, [&stop] { throwIfStopped(stop); });
    throwIfStopped(stop);
    tell(withFull(run, full), false);
    auto whole = std::make_shared<trace::FullPass>(*full);
    whole->tables = select::computeTables(*full, pool, stop);
    tell(withFull(run, whole), true);
}

} // namespace

Rescoring::Rescoring(QObject* parent) : QObject(parent) {}

Rescoring::~Rescoring() = default;

void Rescoring::setRecorded(trace::RunPtr run) {
    cancel();
    m_recorded = std::move(run);
}

void Rescoring::request(const trace::Settings& settings) {
    cancel();
    if (!m_recorded || !m_recorded->full || settings.window != m_recorded->full->window) return;
    if (settings.kernel == m_recorded->full->kernel &&
        settings.pooling == m_recorded->full->pooling) {
        Q_EMIT rescored(m_recorded);
        return;
    }
    const quint64 request = m_request;
    m_busy = true;
    const select::Pooling pooling{settings.kernel, settings.pooling};
    m_thread.submit([this, request, run = m_recorded, pooling](const std::stop_token& stop) {
        const auto tell = [this, request](const trace::RunPtr& made, const Failure& failure,
                                          bool last) {
            m_inbox.post([this, request, made, failure, last] {
                if (request != m_request) return;
                if (last) m_busy = false;
                if (made) Q_EMIT rescored(made);
                if (!failure.message.isEmpty() && !failure.cancelled) Q_EMIT failed(failure);
                Q_EMIT changed();
            });
        };
        try {
            rescore(*run, pooling, stop,
                    [&tell](const trace::RunPtr& made, bool last) { tell(made, {}, last); });
        } catch (...) {
            tell(nullptr, failureOf(std::current_exception()), true);
        }
    });
    Q_EMIT changed();
}

void Rescoring::cancel() {
    ++m_request;
    m_busy = false;
    m_thread.cancel();
}

} // namespace fkv::app
