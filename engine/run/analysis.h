// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/decode.h"
#include "engine/run/fit.h"
#include "engine/run/held_state.h"
#include "engine/run/memory.h"
#include "engine/run/progress_meter.h"
#include "engine/run/session.h"
#include "engine/run/warm_up.h"

#include <chrono>
#include <span>

namespace fkv::run {

/// What lasts from request to request.
struct SessionState {
    /// `device`: an ops::DeviceSpec, or a backend that is there already.
    template <class Device>
    SessionState(const std::filesystem::path& folder, Device&& device, Observer& observer,
                 const std::stop_token& stop)
        : model(folder, std::forward<Device>(device), observer, stop),
          planner(model.info().path, model.backend().info()) {
        warmUp(model, stop);
    }

    /// What a request would need of the memory that there is now.
    FitReport fit(std::int64_t tokens, const Request& request) {
        return planner.plan(
            tokens, request,
            roomOf(model.backend(), heldBy(model, held), request.memory.limitBytes));
    }

    LoadedModel model;
    FitPlanner planner;
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
    void planMemory();
    trace::RunPtr runInstrument();
    trace::RunPtr runDeployed();
    bool referenceServes() const;
    HeldSide runSide(const trace::Budgets& budgets, trace::PassKind decoding,
                     std::shared_ptr<const trace::Answer>& shown);
    void compareSides(const HeldSide& fastkv);
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
    AnswerKey sideKey() const;
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
    FitReport m_fit;                    ///< what is given up
    trace::Timing m_deployedTiming;     ///< as far as it has come
    std::int64_t m_fastkvPeakBytes = 0; ///< of the deployed path
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
