// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/failure.h"
#include "app/run/job_thread.h"
#include "engine/trace/run.h"
#include "engine/trace/settings.h"
#include "viz/state/inbox.h"

#include <QObject>

namespace fkv::app {

/// Scores a recorded run again under another kernel or pooling, off the window's thread, from its
/// stored window sums. Those have half precision in a file, so that the result is a preview.
class Rescoring : public QObject {
    Q_OBJECT
public:
    explicit Rescoring(QObject* parent = nullptr);
    ~Rescoring() override;

    /// The run as it was opened; null forgets it.
    void setRecorded(trace::RunPtr run);
    const trace::RunPtr& recorded() const { return m_recorded; }
    /// Asks for the run under this scoring; the window cannot be another one. Emits rescored() at
    /// once for the recorded scoring, else when it is made, and again with its tables.
    void request(const trace::Settings& settings);
    void cancel();
    bool busy() const { return m_busy; }

Q_SIGNALS:
    void rescored(const fkv::trace::RunPtr& run);
    void failed(const fkv::app::Failure& failure);
    void changed(); ///< busy()

private:
    trace::RunPtr m_recorded;
    quint64 m_request = 0;
    bool m_busy = false;
    viz::Inbox m_inbox;
    JobThread m_thread;
};

} // namespace fkv::app
