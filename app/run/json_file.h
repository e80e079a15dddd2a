// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <QString>

namespace fkv::app {

/// The bytes of a file of at most `limit` bytes. Throws Error{NotFound, Io, BadFile} naming it.
QByteArray readFile(const QString& path, qint64 limit);

/// A JSON file whose top is an array. Throws as readFile() does, and BadFile for anything else.
QJsonArray readJsonArray(const QString& path);

} // namespace fkv::app
