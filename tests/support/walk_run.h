// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/run.h"

#include <cstdint>

namespace fkv::testing {

/// Reads every value of a run as its views would, fate and kept positions included, and returns a
/// sum of it all so that no read can be left out. Throws or crashes when something does not hold
/// together.
double walkRun(const trace::Run& run);

} // namespace fkv::testing
