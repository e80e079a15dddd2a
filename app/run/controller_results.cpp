// SPDX-License-Identifier: GPL-3.0-or-later
// What comes back from the engine and from files.
#include "app/run/controller.h"
#include "app/run/recorded_prompt.h"
#include "app/run/span_tokens.h"
#include "engine/select/budgets.h"

#include <memory>
#include <utility>

namespace fkv::app {

using Phase = viz::Shown::Phase;

namespace {

bool sameTokens(const trace::RunPtr& a, const trace::RunPtr& b) {
    if (!a || !b || a->model.fingerprint != b->model.fingerprint) return false;
    return a->prompt == b->prompt || a->prompt->ids == b->prompt->ids;
}

/// `run` with answers that were growing ended where they are; `run` itself where none was.
trace::RunPtr withAnswersStopped(const trace::RunPtr& run) {
    const auto grows = [](const std::shared_ptr<const trace::Answer>& answer) {
        return answer && answer->end == trace::AnswerEnd::Growing;
    };
    if (!run || (!grows(run->fullAnswer) && !grows(run->fastkvAnswer))) return run;
    auto copy = std::make_shared<trace::Run>(*run);
    for (auto* answer : {&copy->fullAnswer, &copy->fastkvAnswer}) {
        if (!grows(*answer)) continue;
        auto stopped = std::make_shared<trace::Answer>(**answer);
        stopped->end = trace::AnswerEnd::Stopped;
        *answer = std::move(stopped);
    }
    return copy;
}

} // namespace

void Controller::onOpened(const LoadedModel& model) {
    const Kind kind = m_request ? m_request->kind : Kind::Open;
    const bool sameShape = m_model && m_model->info.layers == model.info.layers;
    m_model = model;
    m_rates = model.rates;
    m_request.reset();
    if (kind == Kind::Locate) {
        Q_EMIT modelChanged();
        return analyse(m_shownPrompt);
    }
    const trace::RunPtr& run = m_context.shown.run();
    if (run && run->model.fingerprint != model.info.fingerprint) {
        // Its sliders would belong to another model.
        m_derivation.clear();
        m_context.selection.reset(0, 0);
        m_context.shown.setRun(nullptr, nullptr);
    }
    m_attached = false;
    if (!sameShape) replaceSettings(select::defaultSettings(model.info.layers));
    Q_EMIT modelChanged();
    if (!m_prompt.text.isEmpty()) return analyse(m_prompt);
    endRequest(restingPhase());
}

void Controller::onPublished(const trace::RunPtr& run) {
    if (!m_request || !run) return;
    m_attached = true;
    m_rescoring.setRecorded(nullptr);
    show(run, m_request->prompt.spans);
    m_shownPrompt = m_request->prompt;
    m_exactFor.reset();
    // On the deployed path full context is known with its whole answer, and FastKV alone has none.
    m_request->fullKnown =
        run->full || !run->hasReference() ||
        (run->fullAnswer && run->fullAnswer->end != trace::AnswerEnd::Growing);
    if (m_again && !m_context.settings.dragging() &&
        m_request->settings != m_context.settings.settings())
        return analyse(m_shownPrompt);
    announce();
}

void Controller::onFinished(const trace::RunPtr& run) {
    if (!m_request) return;
    const Kind kind = m_request->kind;
    const bool measureNext = m_measureNext;
    if (run) {
        if (const auto rates = run::ratesOf(*run)) m_rates = rates;
        m_attached = true;
        show(run, m_request->prompt.spans);
        m_shownPrompt = m_request->prompt;
        m_exactFor = m_request->settings;
        if (kind == Kind::Analyse) m_derivation.addMeasured(*run);
    }
    endRequest(Phase::Done);
    derive();
    // Settings may have moved on while the last of it was made.
    if (!m_context.settings.dragging() && !m_settle.isActive()) requestExact();
    if (measureNext) measure();
    announce();
}

void Controller::onFailed(const Failure& failure) {
    endRequest(failure.cancelled ? Phase::Cancelled : Phase::Failed, failure.message);
    if (!failure.cancelled) Q_EMIT failed(failure);
}

void Controller::onTraceOpened(const trace::RunPtr& run, const QString& path) {
    m_worker.cancel();
    m_settle.stop();
    m_attached = false;
    m_exactFor.reset();
    m_prompt = recordedPrompt(*run->prompt);
    trace::Settings settings = select::defaultSettings(run->model.layers);
    if (run->fastkv) {
        settings = run->fastkv->settings;
    } else if (run->full) {
        settings.window = run->full->window;
        settings.kernel = run->full->kernel;
        settings.pooling = run->full->pooling;
    }
    m_derivation.clear();
    m_rescoring.setRecorded(run);
    m_preview.setRecorded(run);
    replaceSettings(settings);
    show(run, m_prompt.spans);
    m_shownPrompt = m_prompt;
    m_shownIds = run->prompt->ids;
    endRequest(Phase::Done);
    m_derivation.addMeasured(*run);
    derive();
    Q_EMIT promptReplaced(m_prompt);
    Q_EMIT traceOpened(path);
    announce();
}

void Controller::onRescored(const trace::RunPtr& run) {
    if (!recorded()) return;
    if (run->full != m_context.shown.run()->full) show(run, m_shownPrompt.spans);
    derive();
}

void Controller::replaceSettings(const trace::Settings& settings) {
    m_replacing = true;
    m_context.settings.reset(settings);
    m_replacing = false;
}

void Controller::show(const trace::RunPtr& run, const std::vector<PromptInput::Span>& spans) {
    const trace::RunPtr before = m_context.shown.run();
    const bool sameText = sameTokens(before, run);
    trace::FatePtr fate;
    try {
        fate = m_preview.fate(run, m_context.settings.settings());
    } catch (...) {
        Q_EMIT failed(failureOf(std::current_exception()));
    }
    viz::Selection& selection = m_context.selection;
    if (sameText) {
        m_context.shown.setRun(run, fate);
        if (spans != m_shownPrompt.spans) addMarks(selection, spanMarks(*run->prompt, spans));
        return;
    }
    std::vector<viz::Mark> marks = spanMarks(*run->prompt, spans);
    if (before && before->model.fingerprint == run->model.fingerprint) {
        const auto carried = carriedMarks(selection.marks(), *before->prompt, *run->prompt);
        marks.insert(marks.end(), carried.begin(), carried.end());
    }
    m_shownIds.reset();
    if (before) m_derivation.clear();
    // Marks come last: views look up the fate of their tokens at once.
    selection.reset(run->tokens(), run->scored());
    m_context.shown.setRun(run, fate);
    addMarks(selection, marks);
}

void Controller::derive() {
    const trace::FatePtr& fate = m_context.shown.fate();
    if (!fate) return;
    const std::int64_t k = m_topK > 0 ? m_topK : fate->budgets.propagated - fate->budgets.window;
    if (k >= 1) m_derivation.derive(m_context.shown.run(), k);
}

void Controller::endRequest(Phase phase, const QString& text) {
    m_request.reset();
    m_again = m_measureNext = false;
    m_worker.release();
    // Nothing more is told of a request that ended early: what is on show is its end.
    const trace::RunPtr run = withAnswersStopped(m_context.shown.run());
    if (run != m_context.shown.run()) m_context.shown.setRun(run, m_context.shown.fate());
    m_context.shown.setPhase(phase, text, phase == Phase::Done ? 1.0 : 0.0);
    announce();
}

Phase Controller::restingPhase() const {
    return m_context.shown.run() ? Phase::Done : Phase::Empty;
}

void Controller::announce() {
    Q_EMIT stateChanged();
    const bool now = settled();
    if (now && !std::exchange(m_wasSettled, true)) Q_EMIT settledDown();
    m_wasSettled = now;
}

} // namespace fkv::app
