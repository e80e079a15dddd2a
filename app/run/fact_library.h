// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QMap>
#include <QString>
#include <QStringList>
#include <random>
#include <vector>

namespace fkv::app {

/// A sentence to hide, the question about it and the answer one expects.
struct Fact {
    QString statement, question, answer;
    bool operator==(const Fact&) const = default;
};

/// A kind of fact with blanks: "The password of {name} is {adjective} {noun}."
struct FactTemplate {
    struct Filler {
        QString name;       ///< of the blank, without braces
        QStringList values; ///< to choose from; any other text may be typed
    };
    QString kind, title;
    Fact pattern;
    std::vector<Filler> fillers; ///< in the order in which the statement uses them
};

/// A public-domain text to hide facts in.
struct Haystack {
    QString id, title, author;
    QString path; ///< absolute; UTF-8 text
    qint64 bytes = 0;
    qint64 tokens = 0; ///< of the whole text with the demo model's tokenizer
    double bytesPerToken() const { return tokens > 0 ? double(bytes) / double(tokens) : 4.0; }
};

struct FactLibrary {
    std::vector<FactTemplate> templates;
    std::vector<Haystack> haystacks;
    QStringList problems; ///< one line for every entry that was left out
};

/// Reads facts.json and haystacks.json of `folder`. An entry that lacks something is left out and
/// named. Throws Error{NotFound, Io, BadFile} when a list is not there or not JSON.
FactLibrary loadFactLibrary(const QString& folder);

/// The whole text. Throws Error{NotFound, Io, BadFile}.
QString readHaystack(const Haystack& haystack);

using FillerValues = QMap<QString, QString>;

/// One value for every blank. The same generator state gives the same values on every platform.
FillerValues randomValues(const FactTemplate& pattern, std::mt19937& random);
/// The fact with its blanks filled; a blank without a value stays as it is.
Fact fill(const FactTemplate& pattern, const FillerValues& values);

/// A number in [0, count). std::uniform_int_distribution differs between standard libraries.
std::size_t pick(std::mt19937& random, std::size_t count);

} // namespace fkv::app
