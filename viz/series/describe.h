// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/settings.h"

#include <QString>

namespace fkv::viz {

class Shown;

/// "TSP 7 · 20 % · KV 10 % · max 7 · window 8"
QString describeSettings(const trace::Settings& settings);
/// Model, prompt size, settings and state of what is shown: for captions of figures.
QString describeShown(const Shown& shown);

}  // namespace fkv::viz
