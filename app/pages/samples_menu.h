// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/samples.h"

#include <functional>

class QMenu;

namespace fkv::app {

/// Fills a menu with the samples: first those that hold at the defaults, then the known failures,
/// each with its tokens and expected answer; entries that could not be read are named at the end.
void fillSamplesMenu(QMenu& menu, const SampleList& list,
                     const std::function<void(const Sample&)>& chosen);

} // namespace fkv::app
