// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace fkv::app {

/// More than any context takes: a token is three or four bytes of text.
inline constexpr qint64 kMostTextBytes = 32 << 20;

/// What a user opens or drops as a prompt: UTF-8 text, with its byte order mark when it has one, as
/// it stands in the file. Throws Error{NotFound, Io, BadFile} with one line that names the file and
/// says what it is instead (a folder, a pipe, UTF-16, bytes that are no text, too large), and a
/// hint where there is something to do. A pipe is not waited for.
QString readPromptFile(const QString& path);

} // namespace fkv::app
