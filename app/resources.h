// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace fkv::app {

/// Absolute path of a file or folder under resources/, e.g. "prompts/samples.json": beside the
/// executable when it was installed or the tree was moved, else in the tree it was built from.
/// The path of the last place tried when it is nowhere, so that a message can name it.
QString resourcePath(const QString& relative);

} // namespace fkv::app
