// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"

#include <QStringList>
#include <vector>

namespace fkv::app {

/// A prompt that comes with the program: a text with a hidden fact, a question, and what was
/// measured.
struct Sample {
    QString id, title, description;
    QString path;      ///< absolute; UTF-8 text
    qint64 tokens = 0; ///< with the demo model's tokenizer, BOS included
    QString fact, question, answer;
    qsizetype factBegin = 0; ///< UTF-8 bytes
    qsizetype factEnd = 0;
    bool knownFailure = false; ///< full context answers, FastKV at its defaults does not
};

struct SampleList {
    std::vector<Sample> samples;
    QStringList problems; ///< one line for every entry that was left out
};

/// Reads samples.json of `folder`. An entry that lacks something is left out and named in
/// `problems`. Throws Error{NotFound, Io, BadFile} when there is no list at all.
SampleList loadSamples(const QString& folder);

/// The sample's text with "fact" and "question" as spans. Throws Error{NotFound, Io, BadFile}, also
/// when the fact is not where the list says.
PromptInput promptOf(const Sample& sample);

/// What follows a text to make the model answer: "\nQuestion: ...\nAnswer:".
QString questionTail(const QString& question);

} // namespace fkv::app
