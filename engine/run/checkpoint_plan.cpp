// SPDX-License-Identifier: Apache-2.0
#include "engine/run/checkpoint_plan.h"

namespace fkv::run {

std::vector<std::int32_t> checkpointPlan(const CheckpointCosts& costs) {
    for (int step = 1; step < costs.layers; step *= 2) {
        // Nothing is rerun after the last layer, so its output is never needed.
        const std::int64_t count = (costs.layers - 1) / step;
        if (count * costs.bytesPerLayer > costs.budgetBytes) continue;
        std::vector<std::int32_t> plan;
        for (int layer = step - 1; layer < costs.layers - 1; layer += step)
            plan.push_back(layer);
        return plan;
    }
    return {};
}

std::string everyText(int step) {
    return "every " + std::to_string(step) + (step == 2 ? "nd" : "th");
}

std::string givenUpText(const std::vector<std::int32_t>& plan, const CheckpointCosts& costs) {
    const int wanted = costs.layers - 1;
    if (static_cast<int>(plan.size()) >= wanted) return {};
    const std::string allowed = " (" + std::to_string(costs.budgetBytes >> 20) + " MiB allowed)";
    if (plan.empty()) return "all checkpoints" + allowed + ": reruns start from the embeddings";
    return std::to_string(wanted - static_cast<int>(plan.size())) + " of " +
           std::to_string(wanted) + " checkpoints" + allowed + ": " + everyText(plan.front() + 1) +
           " layer is held";
}

} // namespace fkv::run
