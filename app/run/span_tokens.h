// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"
#include "engine/trace/run.h"
#include "viz/state/selection.h"

#include <vector>

namespace fkv::app {

/// Tokens that share a byte with [byteBegin, byteEnd) of the prompt's text; empty when none does.
/// A token that starts with the space before a word belongs to the word.
viz::TokenRange spanTokens(const trace::Prompt& prompt, qsizetype byteBegin, qsizetype byteEnd);

/// The spans of a prompt page as marks without numbers. Those that cover no token are left out.
std::vector<viz::Mark> spanMarks(const trace::Prompt& prompt,
                                 const std::vector<PromptInput::Span>& spans);

/// What of `marks` still means the same tokens when `from` is edited into `to`: pins and spans that
/// lie within the tokens both begin with. A new question on the same text keeps what was pinned in
/// it.
std::vector<viz::Mark> carriedMarks(const std::vector<viz::Mark>& marks, const trace::Prompt& from,
                                    const trace::Prompt& to);

/// Adds marks to a selection; a span that covers the same tokens as one already there is left out.
void addMarks(viz::Selection& selection, const std::vector<viz::Mark>& marks);

} // namespace fkv::app
