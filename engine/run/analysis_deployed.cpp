// SPDX-License-Identifier: Apache-2.0
// An analysis where the memory has no room for the instrument: both sides run as they would be
// deployed, one after the other, and only what lies on the host is kept of the first.
#include "engine/run/analysis.h"
#include "engine/run/fidelity.h"
#include "engine/run/gpu_sampling.h"
#include "engine/run/held_answer.h"
#include "engine/run/standalone.h"
#include "engine/run/timing.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <string>

namespace fkv::run {

using trace::PassKind;

namespace {

/// Of all layers of a prefill, as progress counts them.
double rowsOf(const trace::Budgets& budgets) {
    double rows = 0.0;
    for (const trace::LayerBudget& layer : budgets.layers)
        rows += static_cast<double>(layer.entering);
    return rows;
}

} // namespace

trace::RunPtr Analysis::runDeployed() {
    const bool reference = *m_fit.rung == trace::Rung::Deployed;
    const bool known = reference && referenceServes();
    const trace::Budgets whole = select::computeBudgets(fullContext(m_request.settings),
                                                        m_state.model.info(), m_prompt->size());
    const double steps = decodeUnits() * m_request.settings.generate;
    m_progress.plan(rowsOf(m_budgets) + steps);
    if (reference && !known) m_progress.plan(rowsOf(whole) + steps);
    {
        HeldSide kept = known ? std::move(m_held.reference) : HeldSide{};
        m_held.release();
        m_held.reference = std::move(kept);
    }
    m_context.transformer().memory().restartPeak();
    HeldSide& full = m_held.reference;
    if (reference && !known) m_held.reference = runSide(whole, PassKind::DecodeFull, m_fullAnswer);
    if (reference) {
        m_fullAnswer = front(full.answer.answer, m_request.settings.generate);
        m_deployedTiming = deployedTiming({&full}, m_state.model.loadMs());
        publish();
    }
    const HeldSide fastkv = runSide(m_budgets, PassKind::DecodeFastKv, m_answer);
    m_answer = fastkv.answer.answer;
    if (reference && m_request.fidelity) compareSides(fastkv);
    m_progress.report("Done");
    m_held.tails = {};
    m_deployedTiming =
        deployedTiming({reference ? &full : nullptr, &fastkv}, m_state.model.loadMs());
    return makeRun();
}

AnswerKey Analysis::sideKey() const {
    return {0, {}, m_request.settings.sampling.used()};
}

/// Is full context there with the answer that is asked for?
bool Analysis::referenceServes() const {
    const HeldSide& full = m_held.reference;
    return full.ids == m_prompt->ids && (full.compared || !m_request.fidelity) &&
           serves(full.answer, sideKey(), m_request.settings.generate);
}

/// Prefill, answer, and the distributions along the full-context answer; the caches go.
HeldSide Analysis::runSide(const trace::Budgets& budgets, PassKind decoding,
                           std::shared_ptr<const trace::Answer>& shown) {
    const bool full = decoding == PassKind::DecodeFull;
    const auto rowsOfLayer = [&](int layer) {
        return static_cast<double>(budgets.layers[static_cast<std::size_t>(layer)].entering);
    };
    const std::string stage = full ? "Prefill, full context, layer " : "Prefill, FastKV, layer ";
    const auto progress = [&](int layer) {
        if (layer > 0) m_progress.advance(rowsOfLayer(layer - 1));
        m_progress.report(stage + std::to_string(layer + 1) + " of " +
                          std::to_string(m_context.layers()));
    };
    Standalone pass(m_context, {m_prompt->ids, budgets, m_scoring, progress});
    HeldSide side;
    GpuSampling gpu(m_state.model.gpu());
    side.prefillMs = pass.run(full ? PassKind::Full : PassKind::FastKv);
    side.prefill = {pass.spans(), endOf(pass.spans()), gpu.take(), pass.kernels()};
    m_state.work.fullRows += full ? m_prompt->size() * m_context.layers() : 0;
    m_progress.advance(rowsOfLayer(m_context.layers() - 1));
    side.survivors = pass.survivors();
    side.logits = pass.logits();
    side.peakBytes = peakOf(m_state.model, pass);
    if (!full) {
        m_fastkvPeakBytes = side.peakBytes;
        auto fastkv = std::make_shared<trace::FastKvPass>();
        fastkv->settings = m_request.settings;
        fastkv->budgets = budgets;
        fastkv->survivors = side.survivors;
        fastkv->logits = side.logits;
        fastkv->standalone = true;
        m_fastkv = fastkv;
    }
    const Standalone::DecodeCache cache = pass.decodeCache(m_request.settings.generate);
    std::vector<ops::DecodeLayer> layers = cache.layers;
    side.answer = decode({layers, m_prompt->size(), decoding}, side.logits, sideKey(), shown);
    if (m_request.fidelity && *m_fit.rung == trace::Rung::Deployed) {
        const trace::Answer& along = full ? *side.answer.answer : *m_fullAnswer;
        m_progress.report("Comparing");
        layers = cache.layers; // what was generated is behind their ends
        side.forced = forced(m_context, m_held.tails, {layers, m_prompt->size(), decoding},
                             forcedTokens(along));
        side.compared = true;
    }
    side.ids = m_prompt->ids;
    return side;
}

void Analysis::compareSides(const HeldSide& fastkv) {
    const HeldSide& full = m_held.reference;
    auto fidelity = std::make_shared<trace::Fidelity>();
    const auto compare = [&](std::span<const float> a, std::span<const float> b,
                             std::span<const std::int32_t> previous) {
        compareSteps({a, b, previous}, m_state.model.tokenizer(), m_state.model.backend().pool(),
                     *fidelity);
    };
    compare(full.logits, fastkv.logits, {&m_prompt->ids.back(), 1});
    const std::vector<std::int32_t> given = forcedTokens(*m_fullAnswer);
    const std::size_t values = given.size() * full.logits.size();
    compare(std::span(full.forced).first(values), std::span(fastkv.forced).first(values), given);
    m_fidelity = fidelity;
}

} // namespace fkv::run
