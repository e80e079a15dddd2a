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

/// What a dropped or named path is, by content rather than by suffix.
enum class PathKind { Model, Trace, Text, Unknown };
PathKind kindOf(const QString& path);

} // namespace fkv::app
