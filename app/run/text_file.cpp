// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/text_file.h"

#include "app/run/json_file.h"
#include "engine/core/error.h"
#include "viz/series/format.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QStringDecoder>

namespace fkv::app {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("fkv::app::TextFile", text);
}

[[noreturn]] void refuse(ErrorCode code, const QString& what, const QString& hint = {}) {
    throw Error(code, what.toStdString(), hint.toStdString());
}

/// Encodings that a byte order mark gives away; UTF-32 first, whose mark begins like UTF-16's.
QString markedEncoding(QByteArrayView bytes) {
    const struct {
        QByteArrayView mark;
        const char* name;
    } kMarks[] = {{QByteArrayView("\xFF\xFE\0\0", 4), "UTF-32"},
                  {QByteArrayView("\0\0\xFE\xFF", 4), "UTF-32"},
                  {QByteArrayView("\xFF\xFE", 2), "UTF-16"},
                  {QByteArrayView("\xFE\xFF", 2), "UTF-16"}};
    for (const auto& known : kMarks)
        if (bytes.startsWith(known.mark)) return QLatin1String(known.name);
    return {};
}

/// The first line with bytes that are no UTF-8, from 1: the decoder does not say.
qint64 faultyLine(QByteArrayView bytes) {
    qint64 line = 1;
    for (qsizetype begin = 0; begin < bytes.size(); ++line) {
        const qsizetype newline = bytes.indexOf('\n', begin);
        const qsizetype end = newline < 0 ? bytes.size() : newline + 1;
        if (!bytes.sliced(begin, end - begin).isValidUtf8()) break;
        begin = end;
    }
    return line;
}

} // namespace

QString readPromptFile(const QString& path) {
    const QFileInfo info(path);
    if (!info.exists()) refuse(ErrorCode::NotFound, tr("There is no file %1").arg(path));
    if (info.isDir()) refuse(ErrorCode::BadFile, tr("%1 is a folder, not a text").arg(path));
    if (!info.isFile())
        refuse(ErrorCode::BadFile, tr("%1 is a pipe or a device, not a file").arg(path),
               tr("Write it into a file first."));
    if (info.size() > kMostTextBytes)
        refuse(ErrorCode::BadFile,
               tr("%1 has %2: texts of up to %3 are opened")
                   .arg(path, viz::formatBytes(info.size()), viz::formatBytes(kMostTextBytes)),
               tr("No model reads that much at once; cut a part out of it."));
    const QByteArray bytes = readFile(path, kMostTextBytes);
    if (bytes.isEmpty()) refuse(ErrorCode::BadFile, tr("%1 is empty").arg(path));
    if (const QString encoding = markedEncoding(bytes); !encoding.isEmpty())
        refuse(ErrorCode::BadFile, tr("%1 is %2, not UTF-8").arg(path, encoding),
               tr("Save it as UTF-8, or convert it: iconv -f %1 -t UTF-8.").arg(encoding));
    if (const qsizetype at = bytes.indexOf('\0'); at >= 0)
        refuse(ErrorCode::BadFile,
               tr("%1 is no text: byte %2 is NUL").arg(path, viz::formatCount(at)));
    QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::Stateless |
                                                     QStringConverter::Flag::ConvertInitialBom);
    QString text = decoder.decode(bytes);
    if (decoder.hasError())
        refuse(
            ErrorCode::BadFile,
            tr("%1 is not UTF-8 text: see line %2").arg(path, viz::formatCount(faultyLine(bytes))),
            tr("Convert it, for instance: iconv -f LATIN1 -t UTF-8."));
    return text;
}

} // namespace fkv::app
