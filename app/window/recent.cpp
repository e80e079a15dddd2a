// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/window/recent.h"

#include "engine/core/error.h"
#include "engine/io/trace_file.h"

#include <QDir>
#include <QFileInfo>
#include <QSettings>

namespace fkv::app {
namespace {

constexpr qsizetype kMost = 8;

bool looksLikeTrace(const QString& path) {
    try {
        return io::isTrace(path.toStdString());
    } catch (const Error&) {
        return false;
    }
}

} // namespace

QStringList recentPaths(const QSettings& store, const char* key) {
    QStringList paths = store.value(QLatin1String(key)).toStringList();
    paths.removeIf([](const QString& path) { return !QFileInfo::exists(path); });
    return paths.mid(0, kMost);
}

void addRecent(QSettings& store, const char* key, const QString& path) {
    const QString absolute = QFileInfo(path).absoluteFilePath();
    QStringList paths = store.value(QLatin1String(key)).toStringList();
    paths.removeAll(absolute);
    paths.prepend(absolute);
    store.setValue(QLatin1String(key), paths.mid(0, kMost));
}

PathKind kindOf(const QString& path) {
    const QFileInfo info(path);
    if (info.isDir()) {
        // A folder of the Hugging Face cache has its models in snapshots.
        const QDir folder(path);
        const bool model = folder.exists(QStringLiteral("config.json")) ||
                           folder.exists(QStringLiteral("snapshots"));
        return model ? PathKind::Model : PathKind::Folder;
    }
    if (!info.isFile()) return PathKind::Other;
    if (info.suffix().toLower() == QLatin1String("safetensors") || looksLikeTrace(path))
        return PathKind::Trace;
    return PathKind::File;
}

} // namespace fkv::app
