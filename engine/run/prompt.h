// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/request.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "engine/trace/run.h"

namespace fkv::run {

/// What turns words into tokens.
struct PromptMaker {
    const text::Tokenizer& tokenizer;
    const text::ChatSupport& chat;
};

/// Tokens of a prompt, checked: not empty, at most `contextLength` tokens, ids in the vocabulary,
/// valid UTF-8. Throws Error{BadArgument} in one line.
struct PromptLimits {
    std::int64_t vocabulary;
    std::int64_t contextLength;
};
trace::Prompt makePrompt(const PromptSpec& spec, const PromptMaker& maker,
                         const PromptLimits& limits);

/// Throws Error{BadArgument} unless `tokens` and what is generated fit the context.
void checkLength(std::int64_t tokens, int generate, std::int64_t contextLength);

/// Throws Error{BadArgument} for settings and counts out of their range.
void checkRequest(const Request& request, const trace::ModelInfo& model);

} // namespace fkv::run
