// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/backend.h"

#include <memory>

namespace fkv::cuda {

/// True when a driver and a device are there. Never throws.
bool anyDevice();
int deviceCount();
/// Throws Error{Unsupported} when there is no such device or it is too old, Error{Device} when CUDA
/// fails. `threads` of the host as for the CPU backend.
std::unique_ptr<ops::Backend> makeCudaBackend(int device, int threads);

} // namespace fkv::cuda
