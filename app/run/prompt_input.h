// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <optional>
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

    /// The text is a user's message, and the model's chat template makes the prompt of it.
    struct Chat {
        QString system; ///< system message, may be empty
        QString date;   ///< the day that a recorded prompt was told; empty: today
        bool operator==(const Chat&) const = default;
    };

    QString text;
    QString expected;        ///< expected answer, may be empty
    std::vector<Span> spans; ///< ascending by byteBegin
    QString sampleId;        ///< id in samples.json, empty when the text is not a sample
    std::optional<Chat> chat; ///< absent: the text is the prompt
    bool operator==(const PromptInput&) const = default;
    /// True when the engine makes the same tokens of both.
    bool sameTokens(const PromptInput& other) const {
        return text == other.text && chat == other.chat;
    }
};

} // namespace fkv::app
