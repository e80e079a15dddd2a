// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"

#include <QString>
#include <vector>

namespace fkv::app {

/// A span of an edited text, in UTF-16 units as editors count, with the words it stands for.
struct TrackedSpan {
    qsizetype begin = 0, end = 0;
    QString name, words;
    bool operator==(const TrackedSpan&) const = default;
};

/// Byte spans of a text as an editor counts them; spans outside of it are left out.
std::vector<TrackedSpan> trackedSpans(const QString& text,
                                      const std::vector<PromptInput::Span>& spans);
/// And back.
std::vector<PromptInput::Span> byteSpans(const QString& text,
                                         const std::vector<TrackedSpan>& spans);

/// An edit: at `at`, `removed` units were replaced by `added` others.
struct TextEdit {
    qsizetype at = 0, removed = 0, added = 0;
};
/// Spans behind the edit move with the text; a span whose own words were touched is dropped. An
/// edit at one of its ends touches nothing.
void followEdit(std::vector<TrackedSpan>& spans, const TextEdit& edit);

} // namespace fkv::app
