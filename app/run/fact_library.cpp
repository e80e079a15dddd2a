// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/fact_library.h"

#include "app/run/json_file.h"
#include "app/run/text_file.h"

#include <QDir>
#include <QJsonObject>
#include <QRegularExpression>
#include <algorithm>

namespace fkv::app {
namespace {

QStringList blanksOf(const QString& pattern) {
    static const QRegularExpression blank(QStringLiteral("\\{([^{}]+)\\}"));
    QStringList names;
    for (auto it = blank.globalMatch(pattern); it.hasNext();) {
        const QString name = it.next().captured(1);
        if (!names.contains(name)) names << name;
    }
    return names;
}

QString parse(const QJsonObject& entry, FactTemplate& pattern) {
    const auto text = [&entry](const char* key) { return entry[QLatin1String(key)].toString(); };
    pattern.kind = text("kind");
    pattern.title = text("title");
    pattern.pattern = {text("statement"), text("question"), text("answer")};
    if (pattern.kind.isEmpty() || pattern.title.isEmpty())
        return QStringLiteral("no kind or title");
    const Fact& fact = pattern.pattern;
    if (fact.statement.isEmpty() || fact.question.isEmpty() || fact.answer.isEmpty())
        return QStringLiteral("no statement, question or answer");
    const QJsonObject fillers = entry[QLatin1String("fillers")].toObject();
    for (const QString& name : blanksOf(fact.statement + QLatin1Char('\n') + fact.question +
                                        QLatin1Char('\n') + fact.answer)) {
        FactTemplate::Filler filler{name, {}};
        for (const QJsonValue& value : fillers[name].toArray())
            if (!value.toString().isEmpty()) filler.values << value.toString();
        if (filler.values.isEmpty()) return QStringLiteral("nothing to fill {%1} with").arg(name);
        pattern.fillers.push_back(std::move(filler));
    }
    return {};
}

QString parse(const QJsonObject& entry, const QString& folder, Haystack& haystack) {
    haystack.id = entry[QLatin1String("id")].toString();
    haystack.title = entry[QLatin1String("title")].toString();
    haystack.author = entry[QLatin1String("author")].toString();
    haystack.bytes = static_cast<qint64>(entry[QLatin1String("bytes")].toDouble());
    haystack.tokens = static_cast<qint64>(entry[QLatin1String("tokens")].toDouble());
    const QString file = QDir::cleanPath(entry[QLatin1String("file")].toString());
    if (haystack.id.isEmpty() || haystack.title.isEmpty()) return QStringLiteral("no id or title");
    if (file.isEmpty()) return QStringLiteral("no file");
    if (QDir::isAbsolutePath(file) || file.startsWith(QLatin1String("..")))
        return QStringLiteral("file outside the prompts' folder");
    if (haystack.bytes <= 0 || haystack.tokens <= 0) return QStringLiteral("no bytes or tokens");
    haystack.path = QDir(folder).absoluteFilePath(file);
    return {};
}

} // namespace

FactLibrary loadFactLibrary(const QString& folder) {
    FactLibrary library;
    const auto note = [&library](const QString& path, qsizetype index, const QString& fault) {
        library.problems << QStringLiteral("%1, entry %2: %3").arg(path).arg(index + 1).arg(fault);
    };
    const QString factsPath = QDir(folder).absoluteFilePath(QStringLiteral("facts.json"));
    const QJsonArray facts = readJsonArray(factsPath);
    for (qsizetype i = 0; i < facts.size(); ++i) {
        FactTemplate pattern;
        const QString fault = parse(facts[i].toObject(), pattern);
        if (fault.isEmpty())
            library.templates.push_back(std::move(pattern));
        else
            note(factsPath, i, fault);
    }
    const QString textsPath = QDir(folder).absoluteFilePath(QStringLiteral("haystacks.json"));
    const QJsonArray texts = readJsonArray(textsPath);
    for (qsizetype i = 0; i < texts.size(); ++i) {
        Haystack haystack;
        const QString fault = parse(texts[i].toObject(), folder, haystack);
        if (fault.isEmpty())
            library.haystacks.push_back(std::move(haystack));
        else
            note(textsPath, i, fault);
    }
    return library;
}

QString readHaystack(const Haystack& haystack) {
    return readPromptFile(haystack.path);
}

std::size_t pick(std::mt19937& random, std::size_t count) {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(random()) * count) >> 32);
}

FillerValues randomValues(const FactTemplate& pattern, std::mt19937& random) {
    FillerValues values;
    for (const FactTemplate::Filler& filler : pattern.fillers) {
        const std::size_t i = pick(random, static_cast<std::size_t>(filler.values.size()));
        values[filler.name] = filler.values[static_cast<qsizetype>(i)];
    }
    return values;
}

Fact fill(const FactTemplate& pattern, const FillerValues& values) {
    // Left to right in one pass, so that a value with braces in it is not filled again.
    const auto filled = [&values](const QString& text) {
        static const QRegularExpression blank(QStringLiteral("\\{([^{}]+)\\}"));
        QString out;
        qsizetype done = 0;
        for (auto it = blank.globalMatch(text); it.hasNext();) {
            const QRegularExpressionMatch match = it.next();
            const auto value = values.constFind(match.captured(1));
            if (value == values.constEnd()) continue;
            out += QStringView(text).mid(done, match.capturedStart() - done);
            out += *value;
            done = match.capturedEnd();
        }
        out += QStringView(text).mid(done);
        return out;
    };
    return {filled(pattern.pattern.statement), filled(pattern.pattern.question),
            filled(pattern.pattern.answer)};
}

} // namespace fkv::app
