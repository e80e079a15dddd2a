// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/loaded_model.h"

#include <stop_token>

namespace fkv::run {

/// On a GPU: one chunk through the deployed path, unseen. A process loads a kernel when it is first
/// launched, which makes the first layer of its first pass several times as long: the zones' rates,
/// and every bound made of them, would be those of a driver at work. Uses memory of a chunk, given
/// back; does nothing where there is not as much. Throws Error, Cancelled when stopped.
void warmUp(LoadedModel& model, const std::stop_token& stop);

} // namespace fkv::run
