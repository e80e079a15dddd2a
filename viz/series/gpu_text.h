// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/gpu_state.h"

#include <QString>
#include <span>

namespace fkv::viz {

/// What the driver said about the GPU in one line: "1.98 GHz SM · 650 W · power cap"; a limit that
/// held a part of the time with its share. Empty when it was not asked; what it did not say is left
/// out.
QString gpuLine(std::span<const trace::GpuSample> samples);

/// Something held the clocks back in part of the time: a pass that draws less power may then have
/// run at higher ones than the pass it is compared with.
bool clocksLimited(std::span<const trace::GpuSample> samples);
/// Beside a speedup above what the work allows: "check", and where to look if that is known.
QString checkWord(bool clocksLimited);

} // namespace fkv::viz
