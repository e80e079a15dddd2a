// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <vector>

namespace fkv::app {

/// What the prompt page hands over to be run: a text, the answer one expects of it, and the runs of
/// text that are tracked. Plain data, a value.
struct PromptInput {
    /// A named run of bytes [byteBegin, byteEnd) of the text in UTF-8, so that it meets the
    /// engine's byte ranges of tokens.
    struct Span {
        qsizetype byteBegin = 0;
        qsizetype byteEnd = 0;
        QString name; ///< "fact", "question"
        bool operator==(const Span&) const = default;
    };

    QString text;
    QString expected;        ///< expected answer, may be empty
    std::vector<Span> spans; ///< ascending by byteBegin
    QString sampleId;        ///< id in samples.json, empty when the text is not a sample
    bool operator==(const PromptInput&) const = default;
};

} // namespace fkv::app
