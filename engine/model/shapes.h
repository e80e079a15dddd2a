// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/config.h"
#include "engine/model/weights.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fkv::model {

/// Names of the shapes that can be timed without a download.
std::vector<std::string> shapeNames();
/// The published dimensions under that name. Throws Error{BadArgument} with the known names.
Config shapeConfig(const std::string& name);

/// Weights of that shape, normal with standard deviation 0.02 (norms are 1), made in backend
/// memory: the same seed gives the same values on the same kind of backend. They say nothing, and
/// take as long as real ones.
Weights randomWeights(const Config& config, ops::Backend& backend, std::uint64_t seed);

} // namespace fkv::model
