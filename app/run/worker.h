// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/failure.h"
#include "app/run/job_thread.h"
#include "engine/run/session.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "viz/state/inbox.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace fkv::app {

/// A model that is open, as the window needs it. The tokenizer is the session's and outlives it.
struct LoadedModel {
    QString folder;
    trace::ModelInfo info;
    ops::DeviceInfo device;
    std::shared_ptr<const text::Tokenizer> tokenizer;
    text::ChatSupport chat;
    run::Room room;                  ///< that runs may use, as of opening
    std::optional<run::Rates> rates; ///< of the device, where asking for them takes no notable time
};

/// The engine's thread and the Session that lives on it. Requests are newest-wins: a newer one
/// stops the one that runs, and whatever an older one still reports is dropped. Signals come on the
/// thread of this object, progress and partial runs at most 30 times a second, the newest of each.
/// Every request ends with opened(), finished() or failed(), unless it is superseded or cancelled.
class Worker : public QObject {
    Q_OBJECT
public:
    /// How a session comes to be: Session::open, or what a test puts in its place.
    using Opener = std::function<std::unique_ptr<run::Session>(
        const std::filesystem::path& folder, const ops::DeviceSpec& device,
        run::Observer& observer, const std::stop_token& stop)>;

    explicit Worker(QObject* parent = nullptr);
    explicit Worker(Opener opener, QObject* parent = nullptr);
    ~Worker() override; ///< stops and joins

    /// Opens a model; the one before stays open until this one is, and when this one fails. With a
    /// fingerprint (ModelInfo) any other model is refused.
    void open(const QString& folder, const ops::DeviceSpec& device,
              std::optional<std::uint64_t> fingerprint = {});
    void analyse(const run::Request& request);
    void measure(const run::Request& request, int repeats);
    /// Forgets the request: nothing of it is reported any more. The thread stops at the next op.
    void cancel();
    bool busy() const { return m_busy; }

    /// The engine steps aside at its next op while held.
    void hold();
    void release();

Q_SIGNALS:
    void progressed(const QString& stage, double fraction);
    void opened(const fkv::app::LoadedModel& model);
    void published(const fkv::trace::RunPtr& run); ///< further along, not finished
    void finished(const fkv::trace::RunPtr& run);
    void failed(const fkv::app::Failure& failure);

private:
    /// What the engine's thread has to say and the window has not heard yet.
    struct Mail {
        quint64 request = 0;
        std::optional<run::Progress> progress;
        trace::RunPtr published;
        trace::RunPtr finished;
        std::optional<LoadedModel> opened;
        std::optional<Failure> failed;
        bool last() const { return finished || opened || failed; }
    };
    class Line;
    using Work =
        std::function<void(Mail& end, run::Observer& observer, const std::stop_token& stop)>;

    void submit(Work work);
    run::Session& session(run::Observer& observer, const std::stop_token& stop);
    void install(std::unique_ptr<run::Session> session);
    void letGo();
    void post(quint64 request, const std::function<void(Mail&)>& write);
    void schedule(bool now);
    void deliver();

    quint64 m_newest = 0; ///< of the window's thread
    bool m_busy = false;
    QTimer m_delivery;
    QElapsedTimer m_sinceDelivery;

    viz::Inbox m_inbox;
    std::mutex m_mailMutex;
    Mail m_mail;
    bool m_posted = false;

    std::mutex m_gateMutex;
    Gate* m_gate = nullptr; ///< of m_session
    bool m_held = false;

    const Opener m_opener;
    // Touched on the engine's thread alone.
    std::unique_ptr<run::Session> m_session;
    /// What m_session was opened from: after a fault of its device it is opened again.
    struct Source {
        std::filesystem::path path;
        ops::DeviceSpec device;
    };
    std::optional<Source> m_source;
    JobThread m_thread;
};

} // namespace fkv::app
