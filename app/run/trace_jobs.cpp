// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/trace_jobs.h"

#include "engine/core/error.h"
#include "engine/io/trace_file.h"

#include <filesystem>

namespace fkv::app {

TraceJobs::TraceJobs(QObject* parent) : QObject(parent) {}

TraceJobs::~TraceJobs() = default;

void TraceJobs::open(const QString& path) {
    const quint64 request = ++m_openRequest;
    m_opening = true;
    Q_EMIT changed();
    m_reader.submit([this, path, request](const std::stop_token& stop) {
        trace::RunPtr run;
        Failure failure;
        try {
            run = io::openTrace(path.toStdString());
            throwIfStopped(stop);
        } catch (...) {
            run = nullptr;
            failure = failureOf(std::current_exception());
        }
        m_inbox.post([this, request, run, failure, path] {
            if (request != m_openRequest) return;
            m_opening = false;
            if (run)
                Q_EMIT opened(run, path);
            else
                Q_EMIT failed(failure);
            Q_EMIT changed();
        });
    });
}

void TraceJobs::save(const trace::RunPtr& run, const QString& path) {
    const quint64 request = ++m_saveRequest;
    m_saving = true;
    Q_EMIT changed();
    m_writer.submit([this, run, path, request](const std::stop_token& stop) {
        Failure failure;
        bool done = false;
        try {
            io::saveTrace(*run, path.toStdString(), stop);
            done = true;
        } catch (...) {
            failure = failureOf(std::current_exception());
        }
        m_inbox.post([this, request, done, failure, path] {
            if (request == m_saveRequest) m_saving = false;
            if (done)
                Q_EMIT saved(path);
            else if (!failure.cancelled)
                Q_EMIT failed(failure);
            Q_EMIT changed();
        });
    });
}

void TraceJobs::cancelOpening() {
    ++m_openRequest;
    m_opening = false;
    m_reader.cancel();
}

} // namespace fkv::app
