// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/head_counts.h"

#include <QString>

namespace fkv::viz {

// Numbers of the panel "KV per head" as CSV: units in the header, unknown values empty, a comma
// between fields, every line ended.

/// A line per layer and head, with exact values throughout: reads every rank and window sum once.
QString headsCsv(const trace::Run& run, const trace::Fate& fate, TokenRange span);

/// A line per token of `range` (scored ones), for one head: rank and importance by the scores that
/// decide, empty where the token did not arrive.
QString headTokensCsv(const trace::Run& run, const trace::Fate& fate, HeadPlace at,
                      TokenRange range);

} // namespace fkv::viz
