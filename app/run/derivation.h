// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/job_thread.h"
#include "engine/core/thread_pool.h"
#include "viz/state/inbox.h"
#include "viz/state/shown.h"

#include <QObject>
#include <memory>

namespace fkv::app {

/// Values that need more than the run and are worth a thread of their own: exact curves at one K,
/// rank variance, and what was measured at every TSP layer visited. Belongs to one prompt.
class Derivation : public QObject {
    Q_OBJECT
public:
    explicit Derivation(QObject* parent = nullptr);
    ~Derivation() override;

    const viz::Derived& values() const { return m_values; }
    /// Forgets everything: another prompt or model.
    void clear();
    /// Notes what TSP at this run's layer did; call with finished runs.
    void addMeasured(const trace::Run& run);
    /// Computes what is missing for the exact curves at K and the rank variance, on a thread.
    void derive(const trace::RunPtr& run, std::int64_t k);
    void cancel();
    bool busy() const { return m_busy; }

Q_SIGNALS:
    void changed(); ///< values() or busy()

private:
    void take(quint64 request, viz::Derived&& fresh);

    viz::Derived m_values;
    std::shared_ptr<const trace::FullPass> m_full; ///< that the values belong to
    std::int64_t m_k = 0;
    quint64 m_request = 0;
    bool m_busy = false;
    viz::Inbox m_inbox;
    JobThread m_thread;
};

} // namespace fkv::app
