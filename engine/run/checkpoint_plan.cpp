// SPDX-License-Identifier: Apache-2.0
#include "engine/run/checkpoint_plan.h"

#include <algorithm>

namespace fkv::run {

namespace {

CheckpointPlan every(int step, int layers, CheckpointKind kind) {
    CheckpointPlan plan{kind, {}};
    // Nothing is rerun after the last layer, so its output is never needed.
    for (int layer = step - 1; layer < layers - 1; layer += step)
        plan.layers.push_back(layer);
    return plan;
}

std::int64_t bytesOf(const CheckpointPlan& plan, const CheckpointCosts& costs) {
    const bool whole = plan.kind == CheckpointKind::Whole;
    return static_cast<std::int64_t>(plan.layers.size()) * (whole ? costs.rows : costs.rankedRows) *
           costs.rowBytes;
}

bool fits(const CheckpointPlan& plan, const CheckpointCosts& costs) {
    return deviceBytes(plan, costs) <= costs.budget.deviceBytes &&
           hostBytes(plan, costs) <= costs.budget.hostBytes;
}

} // namespace

std::int64_t deviceBytes(const CheckpointPlan& plan, const CheckpointCosts& costs) {
    return plan.kind == CheckpointKind::RankedOnHost ? 0 : bytesOf(plan, costs);
}

std::int64_t hostBytes(const CheckpointPlan& plan, const CheckpointCosts& costs) {
    return plan.kind == CheckpointKind::RankedOnHost ? bytesOf(plan, costs) : 0;
}

CheckpointPlan checkpointPlan(const CheckpointCosts& costs) {
    if (const auto whole = every(1, costs.layers, CheckpointKind::Whole); fits(whole, costs))
        return whole;
    for (int step = 1; step < costs.layers; step *= 2)
        for (const CheckpointKind kind : {CheckpointKind::Ranked, CheckpointKind::RankedOnHost})
            if (auto plan = every(step, costs.layers, kind); fits(plan, costs)) return plan;
    return {};
}

CheckpointBudget smaller(const CheckpointBudget& a, const CheckpointBudget& b) {
    return {std::min(a.deviceBytes, b.deviceBytes), std::min(a.hostBytes, b.hostBytes)};
}

std::string everyText(int step) {
    return "every " + std::to_string(step) + (step == 2 ? "nd" : "th");
}

std::string heldText(const CheckpointPlan& plan) {
    if (plan.layers.empty()) return "no checkpoints";
    if (plan.kind == CheckpointKind::Whole) return "all checkpoints";
    const int step = plan.layers.front() + 1;
    return "the best tokens of " + (step > 1 ? everyText(step) : std::string("every")) +
           " checkpoint" + (plan.kind == CheckpointKind::RankedOnHost ? ", in host memory" : "");
}

std::string givenUpText(const CheckpointPlan& plan, const CheckpointCosts& costs) {
    const auto wanted = costs.layers - 1, held = static_cast<int>(plan.layers.size());
    if (held == wanted && plan.kind == CheckpointKind::Whole) return {};
    const std::string allowed =
        " (" + std::to_string(costs.budget.deviceBytes >> 20) + " MiB allowed)";
    if (held == 0) return "all checkpoints" + allowed + ": reruns start from the embeddings";
    std::string text = "of every checkpoint";
    if (held < wanted)
        text = std::to_string(wanted - held) + " of " + std::to_string(wanted) +
               " checkpoints, and of the others";
    text += " all but the best " + std::to_string(std::min(costs.rankedRows, costs.tokens)) +
            " of " + std::to_string(costs.tokens) + " tokens" + allowed;
    if (plan.kind == CheckpointKind::RankedOnHost) text += "; these lie in host memory";
    return text;
}

} // namespace fkv::run
