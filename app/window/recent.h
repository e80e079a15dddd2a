// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>

class QSettings;

namespace fkv::app {

/// Names under which recent paths are remembered.
inline constexpr const char* kRecentModels = "recent/models";
inline constexpr const char* kRecentTraces = "recent/traces";

/// Paths opened lately that still exist, newest first, at most 8.
QStringList recentPaths(const QSettings& store, const char* key);
void addRecent(QSettings& store, const char* key, const QString& path);

/// What a dropped or named path is, by content rather than by suffix. A file that is no trace can
/// only be a text; reading it says why when it is none.
enum class PathKind { Model, Trace, File, Folder, Other };
PathKind kindOf(const QString& path);

} // namespace fkv::app
