// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/json_file.h"

#include "engine/core/error.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>

namespace fkv::app {
namespace {

constexpr qint64 kJsonLimit = 16 << 20;

[[noreturn]] void refuse(ErrorCode code, const QString& path, const QString& why) {
    throw Error(code, (path + QStringLiteral(": ") + why).toStdString());
}

} // namespace

QByteArray readFile(const QString& path, qint64 limit) {
    QFile file(path);
    if (!QFileInfo(path).isFile())
        refuse(ErrorCode::NotFound, path, QStringLiteral("no such file"));
    if (!file.open(QIODevice::ReadOnly)) refuse(ErrorCode::Io, path, file.errorString());
    if (file.size() > limit)
        refuse(ErrorCode::BadFile, path,
               QStringLiteral("%1 bytes, at most %2 are read").arg(file.size()).arg(limit));
    QByteArray bytes = file.readAll();
    if (file.error() != QFileDevice::NoError) refuse(ErrorCode::Io, path, file.errorString());
    return bytes;
}

QJsonArray readJsonArray(const QString& path) {
    QJsonParseError fault;
    const QJsonDocument document = QJsonDocument::fromJson(readFile(path, kJsonLimit), &fault);
    if (fault.error != QJsonParseError::NoError)
        refuse(ErrorCode::BadFile, path,
               QStringLiteral("%1 at byte %2").arg(fault.errorString()).arg(fault.offset));
    if (!document.isArray()) refuse(ErrorCode::BadFile, path, QStringLiteral("not a JSON array"));
    return document.array();
}

} // namespace fkv::app
