// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/recorded_prompt.h"

#include "app/resources.h"
#include "app/run/samples.h"
#include "engine/core/error.h"

#include <QCoreApplication>

namespace fkv::app {
namespace {

/// The sample with this text, or an empty prompt. Without samples there is none.
PromptInput sampleWith(const QString& text) {
    try {
        for (const Sample& sample : loadSamples(resourcePath(QStringLiteral("prompts"))).samples)
            if (text.contains(sample.fact))
                if (PromptInput input = promptOf(sample); input.text == text) return input;
    } catch (const Error&) {
    }
    return {};
}

} // namespace

PromptInput recordedPrompt(const trace::Prompt& prompt) {
    const QString text = QString::fromStdString(prompt.chat ? prompt.chat->user : prompt.text);
    PromptInput input = sampleWith(text);
    if (input.text.isEmpty()) input.text = text;
    if (prompt.chat)
        input.chat = {QString::fromStdString(prompt.chat->system),
                      QString::fromStdString(prompt.chat->date)};
    input.expected = QString::fromStdString(prompt.expected);
    if (!input.spans.empty() || prompt.expected.empty()) return input;
    const std::string& typed = prompt.chat ? prompt.chat->user : prompt.text;
    if (const std::size_t at = typed.find(prompt.expected); at != std::string::npos) {
        const auto begin = static_cast<qsizetype>(at);
        input.spans.push_back({begin, begin + static_cast<qsizetype>(prompt.expected.size()),
                               QCoreApplication::translate("fkv::app", "expected answer")});
    }
    return input;
}

} // namespace fkv::app
