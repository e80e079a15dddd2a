// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/samples.h"

#include "app/run/json_file.h"
#include "app/run/text_file.h"
#include "engine/core/error.h"

#include <QDir>
#include <QJsonObject>

namespace fkv::app {
namespace {

/// Fills a sample; returns what is wrong with the entry, or nothing.
QString parse(const QJsonObject& entry, const QString& folder, Sample& sample) {
    const auto text = [&entry](const char* key) { return entry[QLatin1String(key)].toString(); };
    sample.id = text("id");
    sample.title = text("title");
    sample.description = text("description");
    sample.fact = text("fact");
    sample.question = text("question");
    sample.answer = text("answer");
    sample.tokens = static_cast<qint64>(entry[QLatin1String("tokens")].toDouble());
    sample.factBegin = static_cast<qsizetype>(entry[QLatin1String("byte_begin")].toDouble(-1));
    sample.factEnd = static_cast<qsizetype>(entry[QLatin1String("byte_end")].toDouble(-1));
    const QJsonObject expect = entry[QLatin1String("expect")].toObject();
    sample.knownFailure = expect[QLatin1String("defaults")].toString() == QLatin1String("fails");

    const QString file = QDir::cleanPath(text("file"));
    if (sample.id.isEmpty()) return QStringLiteral("no id");
    if (sample.title.isEmpty()) return QStringLiteral("no title");
    if (file.isEmpty()) return QStringLiteral("no file");
    if (QDir::isAbsolutePath(file) || file.startsWith(QLatin1String("..")))
        return QStringLiteral("file outside the samples' folder");
    if (sample.fact.isEmpty() || sample.question.isEmpty() || sample.answer.isEmpty())
        return QStringLiteral("no fact, question or answer");
    if (sample.factBegin < 0 || sample.factEnd - sample.factBegin != sample.fact.toUtf8().size())
        return QStringLiteral("byte range does not fit the fact");
    sample.path = QDir(folder).absoluteFilePath(file);
    return {};
}

} // namespace

SampleList loadSamples(const QString& folder) {
    const QString path = QDir(folder).absoluteFilePath(QStringLiteral("samples.json"));
    const QJsonArray entries = readJsonArray(path);
    SampleList list;
    for (qsizetype i = 0; i < entries.size(); ++i) {
        Sample sample;
        const QString fault = parse(entries[i].toObject(), folder, sample);
        if (fault.isEmpty())
            list.samples.push_back(std::move(sample));
        else
            list.problems << QStringLiteral("%1, entry %2: %3").arg(path).arg(i + 1).arg(fault);
    }
    return list;
}

QString questionTail(const QString& question) {
    return QStringLiteral("\nQuestion: ") + question + QStringLiteral("\nAnswer:");
}

PromptInput promptOf(const Sample& sample) {
    PromptInput prompt;
    prompt.text = readPromptFile(sample.path);
    prompt.expected = sample.answer;
    prompt.sampleId = sample.id;
    const QByteArray bytes = prompt.text.toUtf8();
    if (bytes.mid(sample.factBegin, sample.factEnd - sample.factBegin) != sample.fact.toUtf8())
        throw Error(ErrorCode::BadFile,
                    (sample.path + QStringLiteral(": the fact is not where samples.json says"))
                        .toStdString());
    prompt.spans.push_back({sample.factBegin, sample.factEnd, QStringLiteral("fact")});
    const QByteArray question = sample.question.toUtf8();
    const qsizetype at = bytes.lastIndexOf(question);
    if (at >= sample.factEnd)
        prompt.spans.push_back({at, at + question.size(), QStringLiteral("question")});
    return prompt;
}

} // namespace fkv::app
