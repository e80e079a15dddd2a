// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

class QKeyEvent;

namespace fkv::viz {

/// Keys of the view area (VIEWS section 1): arrows, Shift for steps of 10, Enter pin, P track, + - zoom,
/// 0 fit, [ ] layer, , . head, T fate by TSP or KV, Esc. Returns true when the key was one of them and
/// did something.
/// Home, End, PageUp, PageDown and Backspace are the same as keys that need AltGr elsewhere.
bool handleViewKey(const ViewContext& context, const QKeyEvent& event);

}  // namespace fkv::viz
