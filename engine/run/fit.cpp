// SPDX-License-Identifier: Apache-2.0
#include "engine/run/fit.h"

#include "engine/core/bytes_text.h"
#include "engine/core/error.h"
#include "engine/core/host_memory.h"
#include "engine/ops/planning_backend.h"
#include "engine/run/memory.h"
#include "engine/run/prompt.h"
#include "engine/run/standalone.h"
#include "engine/select/budgets.h"

#include <algorithm>

namespace fkv::run {

using trace::Rung;

namespace {

/// Left to the system, to other programs, and to what a backend needs itself.
constexpr std::int64_t kSpareShare = 10;
constexpr std::int64_t kCheckpointShare = 4, kLeastCheckpointBytes = 4LL << 30;

/// What the instrument needs of device memory beside checkpoints.
std::int64_t bareBytes(const FitReport& r) {
    const InstrumentMemory& i = r.instrument;
    return i.total() - i.checkpointBytes - (r.hostMemory ? 0 : i.planeBytes);
}

std::string needs(const char* what, std::int64_t bytes, std::int64_t room) {
    return std::string(what) + " needs " + bytesText(bytes) + " of " + bytesText(room);
}

/// Keys and values as near as there is room for. False where the instrument cannot be held at all.
bool holdKv(FitReport& r, const LoadedModel& model, const trace::Settings& settings) {
    const std::int64_t pinnable = r.checkpointBudget.hostBytes;
    using ops::Place;
    for (const KvHolding& kv : {KvHolding{Place::Device, true}, KvHolding{Place::Device, false},
                                KvHolding{Place::Host, false}}) {
        r.kv = kv;
        r.instrument = estimateMemory(model, r.tokens, settings, kv);
        if (r.roomBytes == 0) return true;
        if (bareBytes(r) <= r.roomBytes && r.instrument.pinnedBytes <= pinnable) return true;
        if (r.hostMemory && !kv.late) break;
    }
    r.kv = {};
    r.instrument = estimateMemory(model, r.tokens, settings, r.kv);
    return false;
}

/// What has to be given up, checkpoints first.
void settle(FitReport& r, const LoadedModel& model, const trace::Settings& settings) {
    const bool held = holdKv(r, model, settings);
    const std::int64_t room = r.roomBytes, bare = bareBytes(r);
    CheckpointBudget& budget = r.checkpointBudget;
    if (room > 0) budget.deviceBytes = std::clamp<std::int64_t>(room - bare, 0, budget.deviceBytes);
    budget.hostBytes = std::max<std::int64_t>(0, budget.hostBytes - r.instrument.pinnedBytes);
    const CheckpointCosts costs = checkpointCosts(model, r.tokens, budget);
    r.checkpoints = checkpointPlan(costs);
    r.instrument.checkpointBytes = deviceBytes(r.checkpoints, costs);
    r.instrument.pinnedBytes += hostBytes(r.checkpoints, costs);
    if (held) {
        r.givenUp = givenUpText(r.kv, r.checkpoints, costs);
        r.rung = r.givenUp.empty() ? Rung::Everything : Rung::FewerCheckpoints;
    } else if (const std::int64_t full = r.totalBytes(r.full); full <= room) {
        r.rung = Rung::Deployed;
        r.givenUp = "capture, as " + needs("looking into this prompt", bare, room);
    } else if (r.totalBytes(r.fastkv) <= room) {
        r.rung = Rung::FastKvAlone;
        r.givenUp = "capture and full context, as " + needs("full context", full, room);
    }
}

} // namespace

std::int64_t FitReport::neededBytes() const {
    if (!rung || *rung == Rung::FastKvAlone) return totalBytes(fastkv);
    if (*rung == Rung::Deployed) return std::max(totalBytes(full), totalBytes(fastkv));
    return bareBytes(*this) + instrument.checkpointBytes;
}

double FitReport::expectedSeconds(const Rates& rates, const Request& request) const {
    const bool reference = rung && *rung != Rung::FastKvAlone;
    const bool looksInto = reference && *rung != Rung::Deployed;
    double flop = looksInto ? lateFlop : fastkv.prefillFlop;
    auto bytes = static_cast<double>(fastkv.stepBytes);
    if (reference) {
        flop += full.prefillFlop;
        bytes += static_cast<double>(full.stepBytes);
    }
    return flop / rates.flopPerSecond +
           bytes * std::max(0, request.settings.generate - 1) / rates.bytesPerSecond;
}

FitPlanner::FitPlanner(const std::filesystem::path& modelFolder, const ops::DeviceInfo& device)
    : m_model(modelFolder, ops::makePlanningBackend(device)) {}

FitPlanner::FitPlanner(const model::Config& config, const ops::DeviceInfo& device)
    : m_model(config, ops::makePlanningBackend(device), 0) {}

/// Made as it would be run, over a backend that only counts.
DeployedMemory FitPlanner::deployed(std::int64_t tokens, const trace::Settings& settings) {
    Gate gate;
    const std::stop_token stop;
    const RunContext context{m_model, gate, stop};
    model::Transformer& transformer = m_model.transformer();
    const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
    const trace::Budgets budgets = select::computeBudgets(settings, m_model.info(), tokens);
    Standalone pass(context, {ids, budgets, scoringOf(settings)});
    const Standalone::DecodeCache cache = pass.decodeCache(settings.generate);
    DeployedMemory m;
    m.kvBytes = budgets.kvBytes;
    for (const model::LayerCache& tail : cache.tails)
        m.kvBytes += static_cast<std::int64_t>(tail.memory->bytes());
    m.activationBytes = transformer.memory().heldBytes() - m.kvBytes;
    m.prefillFlop = prefillFlop(m_model.info(), budgets);
    m.stepBytes = m_model.info().stepWeightBytes + budgets.kvBytes;
    return m;
}

Room FitPlanner::wholeRoom(std::int64_t limitBytes) {
    return roomOf(m_model.backend(), {}, limitBytes);
}

FitReport FitPlanner::plan(std::int64_t tokens, const Request& request, const Room& room) {
    const trace::Settings& settings = request.settings;
    checkRequest(request, m_model.info());
    if (tokens < 1) throw Error(ErrorCode::BadArgument, "the prompt is empty");
    checkLength(tokens, settings.generate, m_model.config().contextLength);
    FitReport r;
    r.tokens = tokens;
    r.roomBytes = room.deviceBytes;
    r.weightBytes = m_model.info().weightBytes;
    r.hostMemory = m_model.backend().info().hostMemory;
    r.full = deployed(tokens, fullContext(settings));
    r.fastkv = deployed(tokens, settings);
    r.lateFlop = lateFlop(m_model.info(), select::computeBudgets(settings, m_model.info(), tokens));
    r.checkpointBudget = {request.memory.checkpointBytes.value_or(
                              std::max(room.deviceBytes / kCheckpointShare, kLeastCheckpointBytes)),
                          room.hostBytes};
    settle(r, m_model, settings);
    if (!r.rung) r.mostTokens = mostTokens(settings, room.deviceBytes);
    return r;
}

std::int64_t FitPlanner::mostTokens(const trace::Settings& settings, std::int64_t roomBytes) {
    std::int64_t fits = 0, over = m_model.config().contextLength - settings.generate + 1;
    while (over - fits > 1) {
        const std::int64_t middle = fits + (over - fits) / 2;
        const DeployedMemory m = deployed(middle, settings);
        const bool room = m_model.info().weightBytes + m.kvBytes + m.activationBytes <= roomBytes;
        (room ? fits : over) = middle;
    }
    return fits;
}

std::string refusalText(const FitReport& r) {
    const std::string text = std::to_string(r.tokens) + " tokens do not fit: " +
                             needs("FastKV alone", r.totalBytes(r.fastkv), r.roomBytes);
    if (r.mostTokens > 0)
        return text + ", at most " + std::to_string(r.mostTokens) +
               " tokens fit with FastKV at these settings";
    return text + ", and no prompt fits: the weights alone take " + bytesText(r.weightBytes);
}

Room roomOf(ops::Backend& backend, const Room& held, std::int64_t limitBytes) {
    Room room;
    const std::int64_t left = backend.availableBytes();
    if (left > 0) room.deviceBytes = held.deviceBytes + left - left / kSpareShare;
    if (limitBytes > 0)
        room.deviceBytes = left > 0 ? std::min(room.deviceBytes, limitBytes) : limitBytes;
    if (!backend.info().hostMemory)
        room.hostBytes = (held.hostBytes + hostMemory().availableBytes) / 2;
    return room;
}

std::string fitText(const FitReport& r) {
    if (r.roomBytes == 0) return {};
    if (!r.rung)
        return r.mostTokens > 0
                   ? "does not fit: at most " + std::to_string(r.mostTokens) + " tokens"
                   : "does not fit: the weights alone take " + bytesText(r.weightBytes);
    switch (*r.rung) {
    case Rung::Everything:
        return "fits";
    case Rung::FewerCheckpoints:
        if (r.kv.place == ops::Place::Host) return "fits with keys and values in host memory";
        if (r.checkpoints.layers.empty()) return "fits without checkpoints";
        return "fits with " + heldText(r.checkpoints);
    case Rung::Deployed:
        return "deployed path only: no room to look into it";
    case Rung::FastKvAlone:
        return "FastKV alone: full context does not fit";
    }
    return {};
}

} // namespace fkv::run
