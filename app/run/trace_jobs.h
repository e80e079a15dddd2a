// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/failure.h"
#include "app/run/job_thread.h"
#include "engine/trace/run.h"
#include "viz/state/inbox.h"

#include <QObject>

namespace fkv::app {

/// Opens and saves trace files off the window's thread. One of each at a time; a newer one replaces
/// it.
class TraceJobs : public QObject {
    Q_OBJECT
public:
    explicit TraceJobs(QObject* parent = nullptr);
    ~TraceJobs() override;

    void open(const QString& path);
    void save(const trace::RunPtr& run, const QString& path);
    void cancelOpening();
    bool opening() const { return m_opening; }
    bool saving() const { return m_saving; }

Q_SIGNALS:
    void opened(const fkv::trace::RunPtr& run, const QString& path);
    void saved(const QString& path);
    void failed(const fkv::app::Failure& failure);
    void changed(); ///< opening() or saving()

private:
    quint64 m_openRequest = 0, m_saveRequest = 0;
    bool m_opening = false, m_saving = false;
    viz::Inbox m_inbox;
    JobThread m_reader, m_writer;
};

} // namespace fkv::app
