// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/worker.h"

#include "engine/core/error.h"

#include <algorithm>
#include <utility>

namespace fkv::app {
namespace {

constexpr int kDeliveryMs = 33;

} // namespace

/// Puts what the engine reports of one request into the mail.
class Worker::Line : public run::Observer {
public:
    Line(Worker& worker, quint64 request) : m_worker(worker), m_request(request) {}
    void progress(const run::Progress& p) override {
        m_worker.post(m_request, [&p](Mail& mail) { mail.progress = p; });
    }
    void published(const trace::RunPtr& run) override {
        m_worker.post(m_request, [&run](Mail& mail) { mail.published = run; });
    }

private:
    Worker& m_worker;
    quint64 m_request;
};

Worker::Worker(QObject* parent)
    : Worker(
          [](const auto& folder, const ops::DeviceSpec& device, auto& observer, const auto& stop) {
              return run::Session::open(folder, device, observer, stop);
          },
          parent) {}

Worker::Worker(Opener opener, QObject* parent) : QObject(parent), m_opener(std::move(opener)) {
    m_delivery.setSingleShot(true);
    connect(&m_delivery, &QTimer::timeout, this, &Worker::deliver);
    m_sinceDelivery.start();
}

Worker::~Worker() {
    m_thread.cancel();
    release();
}

void Worker::open(const QString& folder, const ops::DeviceSpec& device,
                  std::optional<std::uint64_t> fingerprint) {
    submit([=, this](Mail& end, run::Observer& observer, const std::stop_token& stop) {
        const std::filesystem::path path = folder.toStdString();
        auto session = m_opener(path, device, observer, stop);
        if (fingerprint && session->model().fingerprint != *fingerprint)
            throw Error(ErrorCode::BadArgument,
                        path.string() + " is not the model that this trace was recorded with",
                        "The trace stays as it was recorded; choose the folder of its own model.");
        LoadedModel model{folder,
                          session->model(),
                          session->device(),
                          session->sharedTokenizer(),
                          session->chatSupport(),
                          session->room()};
        // A tenth of a second more where loading took longer than that.
        constexpr std::int64_t kLarge = std::int64_t{256} << 20;
        if (model.device.isGpu() || model.info.weightBytes >= kLarge)
            model.rates = session->measureRates();
        throwIfStopped(stop);
        install(std::move(session));
        m_source = {path, device};
        end.opened = std::move(model);
    });
}

void Worker::analyse(const run::Request& request) {
    submit([this, request](Mail& end, run::Observer& observer, const std::stop_token& stop) {
        end.finished = session(observer, stop).analyse(request, observer, stop);
    });
}

void Worker::measure(const run::Request& request, int repeats) {
    submit(
        [this, request, repeats](Mail& end, run::Observer& observer, const std::stop_token& stop) {
            end.finished = session(observer, stop).measure(request, repeats, observer, stop);
        });
}

void Worker::submit(Work work) {
    const quint64 request = ++m_newest;
    m_busy = true;
    m_thread.submit([this, request, work = std::move(work)](const std::stop_token& stop) {
        Line line(*this, request);
        Mail end;
        try {
            work(end, line, stop);
        } catch (const Error& error) {
            end.failed = failureOf(std::current_exception());
            if (error.code() == ErrorCode::Device) letGo();
        } catch (...) {
            end.failed = failureOf(std::current_exception());
        }
        post(request, [&end](Mail& mail) {
            mail.finished = std::move(end.finished);
            mail.opened = std::move(end.opened);
            mail.failed = std::move(end.failed);
        });
    });
}

void Worker::cancel() {
    ++m_newest;
    m_busy = false;
    m_thread.cancel();
}

void Worker::hold() {
    const std::lock_guard lock(m_gateMutex);
    m_held = true;
    if (m_gate) m_gate->hold();
}

void Worker::release() {
    const std::lock_guard lock(m_gateMutex);
    m_held = false;
    if (m_gate) m_gate->release();
}

run::Session& Worker::session(run::Observer& observer, const std::stop_token& stop) {
    if (!m_session && m_source)
        install(m_opener(m_source->path, m_source->device, observer, stop));
    if (!m_session)
        throw Error(ErrorCode::BadArgument, "no model is open", "Open a model folder first.");
    return *m_session;
}

void Worker::install(std::unique_ptr<run::Session> session) {
    {
        const std::lock_guard lock(m_gateMutex);
        m_gate = &session->gate();
        if (m_held) m_gate->hold();
    }
    m_session = std::move(session);
}

/// After a fault nothing that lies on the device can be trusted.
void Worker::letGo() {
    {
        const std::lock_guard lock(m_gateMutex);
        m_gate = nullptr;
    }
    m_session.reset();
}

void Worker::post(quint64 request, const std::function<void(Mail&)>& write) {
    const std::lock_guard lock(m_mailMutex);
    if (m_mail.request != request) m_mail = {.request = request};
    write(m_mail);
    // One notice is under way at most, and the last word overtakes it.
    const bool now = m_mail.last();
    if (std::exchange(m_posted, true) && !now) return;
    m_inbox.post([this, now] { schedule(now); });
}

void Worker::schedule(bool now) {
    if (now) return deliver();
    const qint64 wait = kDeliveryMs - m_sinceDelivery.elapsed();
    m_delivery.start(static_cast<int>(std::max<qint64>(0, wait)));
}

void Worker::deliver() {
    m_delivery.stop();
    m_sinceDelivery.restart();
    Mail mail;
    {
        const std::lock_guard lock(m_mailMutex);
        mail = std::exchange(m_mail, {.request = m_mail.request});
        m_posted = false;
    }
    // A slot may start the next request, after which nothing more of this one may be told.
    const auto current = [this, &mail] { return mail.request == m_newest; };
    if (mail.last() && current()) m_busy = false;
    if (mail.published && !mail.finished && current()) Q_EMIT published(mail.published);
    if (mail.progress && !mail.last() && current())
        Q_EMIT progressed(QString::fromStdString(mail.progress->stage), mail.progress->fraction);
    if (mail.opened && current()) Q_EMIT opened(*mail.opened);
    if (mail.finished && current()) Q_EMIT finished(mail.finished);
    if (mail.failed && current()) Q_EMIT failed(*mail.failed);
}

} // namespace fkv::app
