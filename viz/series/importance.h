// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fkv::viz {

/// Importance of a token on the rank scale: v = log10(M / (rank + 1)); 1 = top 10 %, 2 = top 1 %.
/// `scored` is M >= 1, rank 0 the best.
inline float importance(std::uint32_t rank, std::int64_t scored) {
    return static_cast<float>(std::log10(static_cast<double>(scored) / (rank + 1.0)));
}

/// Colour domain of v, the same at every zoom and layer: top 50 % to top 0.1 %.
inline constexpr float kImportanceLow = 0.3F;
inline float importanceHigh(std::int64_t scored) {
    return scored > 0 ? std::clamp(static_cast<float>(std::log10(static_cast<double>(scored))),
                                   kImportanceLow + 0.1F, 3.0F)
                      : 3.0F;
}

/// Colour domain of the scale Mass: log10 of attention mass against uniform attention.
inline constexpr float kMassLow = 0.0F;
inline constexpr float kMassHigh = 3.0F;

/// Share of the domain, in [0, 1]; what a ramp is indexed by. NaN gives 0.
inline float rampPosition(float v, float low, float high) {
    const float s = (v - low) / (high - low);
    return s > 0.0F ? std::min(s, 1.0F) : 0.0F;
}

}  // namespace fkv::viz
