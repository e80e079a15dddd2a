// SPDX-License-Identifier: Apache-2.0
#include "engine/run/analysis.h"

#include "engine/core/error.h"
#include "engine/run/decode_cache.h"
#include "engine/run/fidelity.h"
#include "engine/run/full_pass.h"
#include "engine/run/held_kv.h"
#include "engine/run/kernel_tracing.h"
#include "engine/run/memory.h"
#include "engine/run/prompt.h"
#include "engine/run/rerun.h"
#include "engine/run/timing.h"
#include "engine/select/budgets.h"
#include "engine/select/rescore.h"
#include "engine/select/stabilization.h"

#include <algorithm>

namespace fkv::run {

using trace::PassKind;

namespace {

// Rough shares of time, in rows of one layer: progress has to be steady, not exact.
constexpr double kTableShare = 0.02; ///< of tables, of a full pass

} // namespace

Analysis::Analysis(SessionState& state, const Request& request, Observer& observer,
                   const std::stop_token& stop)
    : m_state(state),
      m_held(state.held),
      m_request(request),
      m_observer(observer),
      m_stop(stop),
      m_context{state.model, state.gate, m_stop},
      m_progress(observer),
      m_scoring(scoringOf(request.settings)),
      m_machine(state.model.machine()),
      m_lastStreamed(Clock::now()) {
    m_machine.dateUtc = utcNow();
}

trace::RunPtr Analysis::run() {
    m_state.work = {};
    checkRequest(m_request, m_state.model.info());
    throwIfStopped(m_stop);
    const KernelTracing tracing(m_state.model.backend(), m_request.kernels);
    m_kernelsAbsent = tracing.absent();
    ensurePrompt();
    m_budgets = select::computeBudgets(m_request.settings, m_state.model.info(), m_prompt->size());
    planMemory();
    const bool deployed = *m_fit.rung >= trace::Rung::Deployed;
    const trace::RunPtr run = deployed ? runDeployed() : runInstrument();
    m_observer.published(run);
    return run;
}

void Analysis::planMemory() {
    m_fit = m_state.fit(m_prompt->size(), m_request);
    if (!m_fit.rung)
        throw Error(ErrorCode::TooLarge, refusalText(m_fit),
                    "A shorter prompt, or a lower TSP rate or KV budget, needs less.");
    // Memory comes and goes with other programs. A pass that is held, or its front, is not run
    // again for checkpoints that would have room by now.
    const HeldFull& full = m_held.full;
    if (full.asked != m_request.memory || restartRow(m_context, full, m_prompt->ids) == 0) return;
    m_fit.checkpointBudget = smaller(m_fit.checkpointBudget, full.checkpointBudget);
    m_fit.kv.place = std::max(m_fit.kv.place, full.layers.front().cache.place);
}

trace::RunPtr Analysis::runInstrument() {
    planProgress();
    ensureFull();
    ensureScoring();
    if (fullAnswerServes()) showFullAnswer();
    if (m_state.work.fullRows > 0 || m_state.work.rescored) publish();
    ensureRerun();
    if (answerServes()) showAnswer();
    publish();
    ensureCaches();
    ensureFullAnswer();
    ensureAnswer();
    ensureFidelity();
    ensureTables();
    m_progress.report("Done");
    return makeRun();
}

void Analysis::ensurePrompt() {
    const PromptSpec& spec = m_request.prompt;
    const PromptSpec& held = m_state.promptSpec;
    const model::Config& config = m_state.model.config();
    if (!m_held.prompt || spec.text != held.text || spec.ids != held.ids ||
        spec.expected != held.expected || spec.chat != held.chat) {
        m_progress.report("Reading the prompt");
        m_held.prompt = std::make_shared<const trace::Prompt>(
            makePrompt(spec, {m_state.model.tokenizer(), m_state.model.chatSupport()},
                       {config.vocabulary, config.contextLength}));
        m_state.promptSpec = spec;
    }
    m_prompt = m_held.prompt;
    checkLength(m_prompt->size(), m_request.settings.generate, config.contextLength);
}

void Analysis::planProgress() {
    const int layers = m_context.layers();
    const auto tokens = static_cast<double>(m_prompt->size());
    const bool full = !fullServes();
    if (full)
        m_progress.plan(layers * (tokens - static_cast<double>(
                                               restartRow(m_context, m_held.full, m_prompt->ids))));
    if (full || !rerunServes())
        m_progress.plan(rerunLayers(m_held.full, m_budgets, layers) *
                        static_cast<double>(m_budgets.propagated));
    const double answer = decodeUnits() * m_request.settings.generate;
    if (full || !fullAnswerServes()) m_progress.plan(answer);
    if (full || !answerServes()) m_progress.plan(answer);
    if (m_request.tables &&
        (full || m_held.full.scoring != m_scoring || !m_held.full.planes->tables))
        m_progress.plan(kTableShare * layers * tokens);
}

bool Analysis::fullServes() const {
    return m_held.full.complete && m_held.full.ids == m_prompt->ids &&
           holdsCheckpoints(m_context, m_fit.checkpointBudget, m_held.full);
}

void Analysis::ensureFull() {
    if (fullServes()) {
        dropCheckpoints(m_context, m_fit.checkpointBudget, m_held.full);
        placeKv(m_context, m_held.full, m_fit.kv.place,
                heldCapacity(m_state.model, m_prompt->size()), m_prompt->size());
        m_held.full.asked = m_request.memory;
        return;
    }
    m_state.model.transformer().memory().restartPeak();
    FullPassRequest request;
    request.ids = m_prompt->ids;
    request.scoring = m_scoring;
    request.checkpointBudget = m_fit.checkpointBudget;
    request.kvPlace = m_fit.kv.place;
    const std::int64_t rows = m_prompt->size() - restartRow(m_context, m_held.full, m_prompt->ids);
    request.progress = [&](int layer) {
        if (layer > 0) m_progress.advance(static_cast<double>(rows));
        m_progress.report("Prefill, layer " + std::to_string(layer + 1) + " of " +
                          std::to_string(m_context.layers()));
    };
    m_state.work.fullRows = runFullPass(m_context, request, m_held) * m_context.layers();
    m_held.full.asked = m_request.memory;
    m_progress.advance(static_cast<double>(rows));
}

void Analysis::ensureScoring() {
    HeldFull& full = m_held.full;
    if (full.scoring == m_scoring) return;
    m_progress.report("Scoring");
    // Where windows slide, TSP ranks by more than the window sums that are kept.
    if (full.scoring.window != m_scoring.window ||
        m_state.model.config().slides(m_prompt->size())) {
        scoreAnew(m_context, m_scoring, m_held);
    } else {
        full.planes =
            select::rescore(*full.planes, {m_scoring.kernel, m_request.settings.pooling},
                            m_state.model.backend().pool(), [&] { m_state.gate.pass(m_stop); });
        full.scoring = m_scoring;
        full.scoringVersion = m_held.nextVersion();
    }
    m_state.work.rescored = true;
}

bool Analysis::rerunServes() const {
    const HeldRerun& r = m_held.rerun;
    if (!r.complete || !(r.keptKv || canGather(m_budgets, m_held)) ||
        r.scoringVersion != m_held.full.scoringVersion || m_held.full.scoring != m_scoring ||
        r.tspOn != m_budgets.tspOn)
        return false;
    return !r.tspOn || (r.tspLayer == m_budgets.tspLayer && r.propagated == m_budgets.propagated);
}

void Analysis::ensureRerun() {
    HeldRerun& rerun = m_held.rerun;
    if (!rerunServes()) {
        bool first = true;
        RerunRequest request{m_budgets, m_fit.kv.late, [&](int) {
                                 if (!first)
                                     m_progress.advance(static_cast<double>(m_budgets.propagated));
                                 first = false;
                                 m_progress.report("Rerun");
                             }};
        m_state.work.rerunRows = runRerun(m_context, request, m_held);
        if (!first) m_progress.advance(static_cast<double>(m_budgets.propagated));
    }
    auto fastkv = std::make_shared<trace::FastKvPass>();
    fastkv->settings = m_request.settings;
    fastkv->budgets = m_budgets;
    fastkv->survivors = rerun.survivors;
    fastkv->late = rerun.late;
    fastkv->logits = rerun.logits;
    m_fastkv = fastkv;
    if (!m_request.fidelity) return;
    // The first token's distribution comes from prefill: known before anything is decoded.
    auto fidelity = std::make_shared<trace::Fidelity>();
    compareSteps({m_held.full.planes->logits, rerun.logits, {&m_prompt->ids.back(), 1}},
                 m_state.model.tokenizer(), m_state.model.backend().pool(), *fidelity);
    m_fidelity = fidelity;
}

void Analysis::ensureCaches() {
    m_state.work.regathered = gatherCaches(m_context, m_budgets, m_held);
    if (m_held.rerun.keptKv && !m_fit.kv.late) letLateKvGo(m_context, m_budgets, m_held);
    m_cachesReady = true;
}

void Analysis::ensureTables() {
    if (!m_request.tables || m_held.full.planes->tables) return;
    publish(); // everything else is there
    m_progress.report("Comparing layers");
    auto planes = std::make_shared<trace::FullPass>(*m_held.full.planes);
    planes->tables = select::computeTables(*planes, m_state.model.backend().pool(), m_stop,
                                           [&] { m_state.gate.pass(m_stop); });
    m_held.full.planes = planes;
}

trace::RunPtr Analysis::makeRun() {
    auto run = std::make_shared<trace::Run>();
    run->id = ++m_state.lastId;
    run->model = m_state.model.info();
    run->machine = m_machine;
    run->prompt = m_prompt;
    run->full = m_held.full.planes;
    run->fastkv = m_fastkv;
    run->fullAnswer = m_fullAnswer;
    run->fastkvAnswer = m_answer;
    run->fidelity = m_fidelity;
    run->rung = *m_fit.rung;
    run->counters = countMemory(m_state.model, m_held);
    if (run->rung >= trace::Rung::Deployed) {
        run->timing = m_deployedTiming;
        run->counters.givenUp = m_fit.givenUp;
        run->counters.standaloneFullPeakBytes = m_held.reference.peakBytes;
        run->counters.standaloneFastKvPeakBytes = m_fastkvPeakBytes;
    } else {
        run->timing = composeTiming(
            m_held, {m_budgets, m_fastkv != nullptr, m_cachesReady, m_fullAnswerDone, m_answerDone},
            m_state.model.loadMs());
        if (!run->counters.givenUp.empty()) run->rung = trace::Rung::FewerCheckpoints;
    }
    run->timing.kernels.absent = m_kernelsAbsent;
    return run;
}

void Analysis::publish() {
    m_observer.published(makeRun());
}

} // namespace fkv::run
