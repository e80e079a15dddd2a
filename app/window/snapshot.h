// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_line.h"

namespace fkv::app {

class MainWindow;

/// Waits until the window's analysis is finished and its derived values are in, writes the picture
/// that the options ask for and returns the program's exit code: 0, or 1 with one line on standard
/// error.
int takeSnapshot(MainWindow& window, const StartOptions& options);

/// Prints "fastkv-scope: error: ..." and returns 1.
int reportFault(const QString& message);

} // namespace fkv::app
