// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"

#include <memory>

namespace fkv::ops {

/// What a CPU and a GPU hold weights, activations and caches in, and how much they run at once: the
/// part of DeviceInfo that does not depend on the machine.
DeviceInfo cpuTraits();
DeviceInfo gpuTraits();

/// A backend that hands out buffers without memory, so that whatever is made over it is counted as
/// it would be made on `device`, which need not be there. It copies nothing and computes nothing:
/// ops throw Error{Internal}.
std::unique_ptr<Backend> makePlanningBackend(DeviceInfo device);

} // namespace fkv::ops
