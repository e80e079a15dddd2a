// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>

namespace fkv::viz {

/// Calls task(i) once for every i in [0, count) on this thread and, when one is free, on a second.
/// Never waits for a helper that has not begun: with every core taken the caller does it all.
/// Results must not depend on who ran a task, and a task must not throw.
void onTwoThreads(std::size_t count, const std::function<void(std::size_t)>& task);

}  // namespace fkv::viz
