// SPDX-License-Identifier: Apache-2.0
#include "engine/run/warm_up.h"

#include "engine/core/error.h"
#include "engine/run/standalone.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <vector>

namespace fkv::run {

void warmUp(LoadedModel& model, const std::stop_token& stop) {
    if (!model.backend().info().isGpu()) return;
    Gate gate;
    const RunContext context{model, gate, stop};
    // A whole chunk, since kernels are chosen by the shape.
    const std::int64_t tokens =
        std::min(model.transformer().chunkRows(), model.config().contextLength);
    const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
    const trace::Settings settings; // TSP right after the first layer: that one costs the most
    const trace::Budgets budgets = select::computeBudgets(settings, model.info(), tokens);
    try {
        Standalone(context, {ids, budgets, scoringOf(settings)}).run();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::OutOfMemory) throw;
    }
}

} // namespace fkv::run
