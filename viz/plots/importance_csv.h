// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/importance_rows.h"
#include "viz/state/view_context.h"

#include <QString>

namespace fkv::viz {

/// The numbers behind the map, RFC 4180: a header with units, then one line a token of the visible
/// range: position, text, whether it passes TSP, and for every layer its rank over all heads (empty
/// where it has none), the number of KV heads that keep it, and with scale Mass its share of the
/// layer's mass. The window's tokens follow when the range reaches the end.
QString importanceCsv(const ViewContext& context, ImportanceRows& rows);

} // namespace fkv::viz
