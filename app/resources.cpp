// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/resources.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace fkv::app {

QString resourcePath(const QString& relative) {
    const QString beside = QCoreApplication::applicationDirPath();
    // Installed under PREFIX/bin, and built under TREE/build/PRESET/bin.
    for (const QString& place : {beside + QStringLiteral("/../share/fastkv-scope"),
                                 beside + QStringLiteral("/../../../resources")}) {
        const QString path = QDir::cleanPath(place + QLatin1Char('/') + relative);
        if (QFileInfo::exists(path)) return path;
    }
    return QStringLiteral(FKV_SOURCE_RESOURCES) + QLatin1Char('/') + relative;
}

} // namespace fkv::app
