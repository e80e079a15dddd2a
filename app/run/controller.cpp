// SPDX-License-Identifier: GPL-3.0-or-later
// What the window asks for. What the engine answers is in controller_results.cpp.
#include "app/run/controller.h"

#include "engine/core/error.h"
#include "engine/select/budgets.h"

#include <QFileInfo>
#include <utility>

namespace fkv::app {

using Phase = viz::Shown::Phase;

Controller::Controller(const viz::ViewContext& context, QObject* parent)
    : QObject(parent), m_context(context) {
    m_settle.setSingleShot(true);
    connectWorker();
    connectSettings();
}

Controller::~Controller() = default;

void Controller::connectWorker() {
    connect(&m_worker, &Worker::opened, this, &Controller::onOpened);
    connect(&m_worker, &Worker::published, this, &Controller::onPublished);
    connect(&m_worker, &Worker::finished, this, &Controller::onFinished);
    connect(&m_worker, &Worker::failed, this, &Controller::onFailed);
    connect(&m_worker, &Worker::progressed, this, [this](const QString& stage, double fraction) {
        const bool opens =
            m_request && (m_request->kind == Kind::Open || m_request->kind == Kind::Locate);
        m_context.shown.setPhase(opens ? Phase::Loading : Phase::Running, stage, fraction);
    });
    connect(&m_traces, &TraceJobs::opened, this, &Controller::onTraceOpened);
    connect(&m_traces, &TraceJobs::saved, this, &Controller::traceSaved);
    connect(&m_traces, &TraceJobs::failed, this, &Controller::failed);
    connect(&m_traces, &TraceJobs::changed, this, &Controller::announce);
    connect(&m_rescoring, &Rescoring::rescored, this, &Controller::onRescored);
    connect(&m_rescoring, &Rescoring::failed, this, &Controller::failed);
    connect(&m_rescoring, &Rescoring::changed, this, &Controller::announce);
}

void Controller::connectSettings() {
    connect(&m_context.settings, &viz::SettingsModel::changed, this,
            &Controller::onSettingsChanged);
    connect(&m_settle, &QTimer::timeout, this, [this] {
        requestExact();
        announce();
    });
    connect(&m_derivation, &Derivation::changed, this, [this] {
        m_context.shown.setDerived(m_derivation.values());
        announce();
    });
}

void Controller::setDevice(const QString& name) {
    if (name.toStdString() == m_device.name) return;
    m_device.name = name.toStdString();
    if (m_model) open(m_model->folder, Kind::Open);
}

void Controller::openModel(const QString& folder) {
    open(folder, Kind::Open);
}

void Controller::open(const QString& folder, Kind kind) {
    std::optional<std::uint64_t> fingerprint;
    if (kind == Kind::Locate) fingerprint = m_context.shown.run()->model.fingerprint;
    m_again = m_measureNext = false;
    m_request = Request{.kind = kind};
    m_context.shown.setPhase(Phase::Loading, tr("Opening %1").arg(QFileInfo(folder).fileName()),
                             0.0);
    m_worker.open(folder, m_device, fingerprint);
    announce();
}

void Controller::openTrace(const QString& path) {
    m_traces.open(path);
}

void Controller::locateModel(const QString& folder) {
    if (!recorded()) return;
    if (modelFits() && folder == m_model->folder)
        analyse(m_shownPrompt);
    else
        open(folder, Kind::Locate);
}

bool Controller::modelFits() const {
    const trace::RunPtr& run = m_context.shown.run();
    return m_model && run && m_model->info.fingerprint == run->model.fingerprint;
}

bool Controller::recorded() const {
    return m_context.shown.run() && !m_attached;
}

bool Controller::canMeasure() const {
    return m_context.shown.run() && m_attached;
}

bool Controller::settled() const {
    return !m_request && !m_settle.isActive() && !m_derivation.busy() && !m_rescoring.busy() &&
           !m_traces.opening() && !m_traces.saving();
}

void Controller::run() {
    if (m_request && (m_request->kind == Kind::Open || m_request->kind == Kind::Locate)) return;
    m_traces.cancelOpening();
    if (!m_model)
        return onFailed({tr("No model is open"), tr("Open a model folder first (Ctrl+O)."), false});
    analyse(m_prompt);
}

void Controller::analyse(const PromptInput& prompt) {
    m_settle.stop();
    m_again = false;
    m_worker.release();
    const bool same = m_attached && m_context.shown.run() && prompt.sameTokens(m_shownPrompt);
    m_request = Request{Kind::Analyse, prompt, m_context.settings.settings(), same};
    m_context.shown.setPhase(Phase::Running, tr("Starting"), 0.0);
    m_worker.analyse(engineRequest(prompt));
    announce();
}

run::Request Controller::engineRequest(const PromptInput& prompt) const {
    run::Request request;
    request.prompt.text = prompt.text.toStdString();
    request.prompt.expected = prompt.expected.toStdString();
    if (prompt.chat)
        request.prompt.chat = {prompt.chat->system.toStdString(), prompt.chat->date.toStdString()};
    if (m_shownIds && modelFits() && prompt.sameTokens(m_shownPrompt))
        request.prompt.ids = m_shownIds;
    request.settings = m_context.settings.settings();
    request.kernels = m_traceKernels;
    request.memory.limitBytes = m_memoryLimit;
    return request;
}

void Controller::stop() {
    m_traces.cancelOpening();
    m_rescoring.cancel();
    m_settle.stop();
    if (m_request) {
        m_worker.cancel();
        endRequest(Phase::Cancelled);
    }
    announce();
}

void Controller::measure() {
    if (m_request && m_request->kind == Kind::Analyse) {
        m_measureNext = true;
        return;
    }
    if (m_request || !canMeasure()) return;
    m_request = Request{Kind::Measure, m_shownPrompt, m_context.settings.settings(), true};
    m_context.shown.setPhase(Phase::Running, tr("Measuring standalone"), 0.0);
    m_worker.measure(engineRequest(m_shownPrompt), kMeasureRepeats);
    announce();
}

void Controller::saveTrace(const QString& path) {
    if (m_context.shown.run()) m_traces.save(m_context.shown.run(), path);
}

void Controller::setTopK(std::int64_t k) {
    m_topK = k;
    // Else it is derived when the drag or the run is over.
    if (!m_context.settings.dragging() && !m_request && !m_settle.isActive()) derive();
}

void Controller::dismissFailure() {
    if (m_context.shown.phase() == Phase::Failed) m_context.shown.setPhase(restingPhase(), {}, 0.0);
}

void Controller::onSettingsChanged() {
    const bool dragging = m_context.settings.dragging();
    const bool released = std::exchange(m_wasDragging, dragging) && !dragging;
    if (m_replacing || !m_context.shown.run()) return;
    // Two cores are too few for a slider's frames and the engine.
    if (dragging) {
        m_worker.hold();
        m_derivation.cancel();
    }
    updateFate();
    if (released) {
        m_settle.stop();
        requestExact();
    } else {
        m_settle.start(kSettleMs);
    }
    announce();
}

void Controller::updateFate() {
    const trace::Settings& settings = m_context.settings.settings();
    const trace::FatePtr& now = m_context.shown.asked();
    if (now && now->settings == settings) return;
    try {
        m_context.shown.setFate(m_preview.fate(m_context.shown.run(), settings));
    } catch (...) {
        Q_EMIT failed(failureOf(std::current_exception()));
    }
}

void Controller::requestExact() {
    m_worker.release();
    const trace::Settings& settings = m_context.settings.settings();
    if (m_request) {
        if (m_request->kind == Kind::Open || m_request->kind == Kind::Locate) return;
        if (m_request->settings == settings) return;
        // A full pass serves every setting: it is never thrown away for a slider.
        if (!m_request->fullKnown) {
            m_again = true;
            return;
        }
        analyse(m_request->prompt);
        return;
    }
    if (recorded()) return m_rescoring.request(settings);
    if (m_exactFor != settings) return analyse(m_shownPrompt);
    derive(); // a drag gave it up
}

} // namespace fkv::app
