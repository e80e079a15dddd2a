// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/run.h"

#include <QString>
#include <cstdint>

namespace fkv::viz {

// Numbers as every view writes them: three significant digits, thousands separated by commas, a unit
// after a thin gap. Not finite gives an en dash.

QString formatCount(std::int64_t n);         ///< "131,072"
QString formatSignificant(double v);         ///< "1.63", "0.0412", "3e-5", "1,830"
QString formatMs(double ms);                 ///< "812 ms"
QString formatBytes(std::int64_t bytes);     ///< "16.0 GiB", "402 MiB", "3.1 KiB"
QString formatPercent(double share);         ///< 0.102 gives "10.2 %"
QString formatRate(double share);            ///< as one types it: "10 %", "12.5 %"
QString formatRatio(double r);               ///< "1.82x"
QString formatKl(double nats);               ///< never "0.00" for a small one: "3e-5"
/// The prefix that carries a state: "≈ " for a preview, "Σ " for a composed value, else nothing.
QString withState(const QString& text, trace::State state);
QString stateName(trace::State state);       ///< "exact", "preview", ...

}  // namespace fkv::viz
