// SPDX-License-Identifier: Apache-2.0
#include "engine/run/fit.h"

#include "engine/core/error.h"
#include "engine/ops/planning_backend.h"
#include "engine/run/memory.h"
#include "engine/run/prompt.h"
#include "engine/run/standalone.h"
#include "engine/run/work.h"
#include "engine/select/budgets.h"

namespace fkv::run {

namespace {

/// Room for the system and for what the backend itself needs.
constexpr std::int64_t kSpareShare = 10;

std::int64_t bytesOf(const ops::View& v) {
    return v.elements() * static_cast<std::int64_t>(sizeOf(v.dtype));
}

/// Made as it would be run, over a backend that only counts.
DeployedMemory deployed(const RunContext& context, const std::vector<std::int32_t>& ids,
                        const trace::Budgets& budgets, const Request& request) {
    const trace::Settings& s = request.settings;
    model::Transformer& transformer = context.transformer();
    Standalone pass(context,
                    {ids, budgets, {s.window, s.kernel, s.pooling == trace::Pooling::Average}});
    const Standalone::DecodeCache cache = pass.decodeCache(request.settings.generate);
    DeployedMemory m;
    m.kvBytes = budgets.kvBytes;
    for (const model::LayerCache& tail : cache.tails)
        m.kvBytes += static_cast<std::int64_t>(tail.memory->bytes());
    m.activationBytes = transformer.memory().heldBytes() - m.kvBytes;
    m.prefillFlop = prefillFlop(context.model.info(), budgets);
    // Of the tables and of an embedding that is no head a token reads one row.
    const model::Weights& w = transformer.weights();
    const bool tied = w.lmHead.data == w.embedding.data;
    m.stepBytes = w.bytes + budgets.kvBytes - bytesOf(w.cosTable) - bytesOf(w.sinTable) -
                  (tied ? 0 : bytesOf(w.embedding));
    return m;
}

/// What has to be given up, checkpoints first.
void settle(FitReport& r, const LoadedModel& model, const Request& request) {
    const std::int64_t room = r.memoryBytes - r.memoryBytes / kSpareShare;
    const std::int64_t bare = r.instrument.total() - r.instrument.checkpointBytes;
    const CheckpointCosts allowed =
        checkpointCosts(model, r.tokens, std::min(request.checkpointBudgetBytes, room - bare));
    r.givenUp = givenUpText(checkpointPlan(allowed), allowed);
    if (r.memoryBytes == 0)
        r.fit = Fit::Unknown;
    else if (r.instrument.total() <= room)
        r.fit = Fit::Everything;
    else if (bare <= room)
        r.fit = Fit::FewerCheckpoints;
    else if (r.totalBytes(r.full) <= room)
        r.fit = Fit::NoCapture;
    else
        r.fit = r.totalBytes(r.fastkv) <= room ? Fit::FastKvAlone : Fit::Nothing;
}

} // namespace

FitReport estimateFit(const std::filesystem::path& modelFolder, const ops::DeviceInfo& device,
                      std::int64_t tokens, const Request& request) {
    LoadedModel model(modelFolder, ops::makePlanningBackend(device));
    checkRequest(request, model.info());
    if (tokens < 1) throw Error(ErrorCode::BadArgument, "the prompt is empty");
    checkLength(tokens, request.settings.generate, model.config().contextLength);
    Gate gate;
    const std::stop_token stop;
    const RunContext context{model, gate, stop};
    const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
    trace::Settings full = request.settings;
    full.method = trace::Method::Full;

    FitReport r;
    r.tokens = tokens;
    r.memoryBytes = static_cast<std::int64_t>(device.memoryBytes);
    r.weightBytes = model.info().weightBytes;
    r.full = deployed(context, ids, select::computeBudgets(full, model.info(), tokens), request);
    r.fastkv = deployed(context, ids,
                        select::computeBudgets(request.settings, model.info(), tokens), request);
    r.instrument = estimateMemory(model, tokens, request);
    settle(r, model, request);
    return r;
}

std::string fitText(const FitReport& r) {
    switch (r.fit) {
    case Fit::Everything:
        return r.givenUp.empty() ? "fits" : "fits without " + r.givenUp;
    case Fit::FewerCheckpoints:
        return "fits without " + r.givenUp;
    case Fit::NoCapture:
        return "fits without capture: full context and FastKV can be measured, not looked into";
    case Fit::FastKvAlone:
        return "FastKV alone fits";
    case Fit::Nothing:
        return "does not fit";
    case Fit::Unknown:
        return {};
    }
    return {};
}

} // namespace fkv::run
