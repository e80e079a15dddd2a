// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/decode.h"
#include "engine/run/held_state.h"
#include "engine/run/progress_meter.h"
#include "engine/run/session.h"
#include "engine/run/warm_up.h"

#include <chrono>
#include <span>

namespace fkv::run {

/// What lasts from request to request.
struct SessionState {
    SessionState(const std::filesystem::path& folder, const ops::DeviceSpec& device,
                 Observer& observer, const std::stop_token& stop)
        : model(folder, device, observer, stop) {
        warmUp(model, stop);
    }

    LoadedModel model;
    Gate gate;
    PromptSpec promptSpec; ///< what held.prompt was made from
    HeldState held;
    Session::Work work;
    std::uint64_t lastId = 0;
};

/// One request: every step asks whether what is held serves it, and runs only if not. Steps leave
/// the held state sound wherever they stop.
class Analysis {
public:
    Analysis(SessionState& state, const Request& request, Observer& observer,
             const std::stop_token& stop);
    trace::RunPtr run();

private:
    using Clock = std::chrono::steady_clock;

    void ensurePrompt();
    void ensureFull();
    void ensureScoring();
    void ensureRerun();
    void ensureCaches();
    void ensureFullAnswer();
    void ensureAnswer();
    void ensureFidelity();
    void ensureTables();
    void compareAlong(std::span<const std::int32_t> given);
    HeldAnswer decode(const DecodeRequest& from, std::span<const float> logits, AnswerKey key,
                      std::shared_ptr<const trace::Answer>& shown);
    void showFullAnswer();
    void showAnswer();

    bool fullServes() const;
    bool rerunServes() const;
    bool fullAnswerServes() const;
    bool answerServes() const;
    AnswerKey fullAnswerKey() const;
    AnswerKey answerKey() const;
    /// Rough work of both answers' steps, in rows of one layer.
    double decodeUnits() const;
    void planProgress();
    trace::RunPtr makeRun();
    void publish();
    void stream(std::shared_ptr<const trace::Answer>& shown, const trace::Answer& grown);

    SessionState& m_state;
    HeldState& m_held;
    const Request& m_request;
    Observer& m_observer;
    const std::stop_token& m_stop;
    RunContext m_context;
    ProgressMeter m_progress;
    std::shared_ptr<const trace::Prompt> m_prompt;
    trace::Budgets m_budgets;
    model::Scoring m_scoring;
    trace::Machine m_machine; ///< dated by this request
    bool m_cachesReady = false, m_fullAnswerDone = false, m_answerDone = false;
    std::shared_ptr<const trace::FastKvPass> m_fastkv;
    std::shared_ptr<const trace::Answer> m_fullAnswer, m_answer; ///< as far as they have come
    std::shared_ptr<const trace::Fidelity> m_fidelity;
    std::string m_kernelsAbsent; ///< why kernels that were asked for are not recorded
    Clock::time_point m_lastStreamed;
};

} // namespace fkv::run
