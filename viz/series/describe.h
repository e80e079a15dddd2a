// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/settings.h"

#include <QString>

namespace fkv::viz {

class Shown;

/// "TSP 7 · 20 % · KV 10 % · max 7 · window 8"
QString describeSettings(const trace::Settings& settings);
/// "temperature 0.7, top-p 0.9, seed 1": how the tokens of answers were drawn; empty when they were
/// not.
QString describeSampling(const trace::Sampling& sampling);
/// Both, where answers are compared: "TSP 7 · … · window 8 · temperature 0.7, seed 1".
QString describeDecoded(const trace::Settings& settings);
/// Model, prompt size, settings and state of what is shown: for captions of figures.
QString describeShown(const Shown& shown);

} // namespace fkv::viz
