// SPDX-License-Identifier: Apache-2.0
#include "engine/run/prompt.h"

#include "engine/core/error.h"
#include "engine/model/transformer.h"
#include "engine/select/budgets.h"

#include <limits>

namespace fkv::run {

namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
    throw Error(ErrorCode::BadArgument, message, hint);
}

/// Decodes ids into the text they stand for, token by token.
void spellOut(const std::vector<std::int32_t>& ids, const text::Tokenizer& tokenizer,
              trace::Prompt& prompt) {
    prompt.ids = ids;
    prompt.bytes.reserve(ids.size());
    std::int32_t previous = -1;
    for (const std::int32_t id : ids) {
        const auto begin = static_cast<std::uint32_t>(prompt.text.size());
        prompt.text += tokenizer.decode(id, previous);
        if (prompt.text.size() > std::numeric_limits<std::uint32_t>::max())
            refuse("the text is too long");
        prompt.bytes.emplace_back(begin, static_cast<std::uint32_t>(prompt.text.size()));
        previous = id;
    }
}

} // namespace

trace::Prompt makePrompt(const PromptSpec& spec, const text::Tokenizer& tokenizer,
                         const PromptLimits& limits) {
    trace::Prompt prompt;
    prompt.expected = spec.expected;
    if (!spec.ids && spec.text.empty()) refuse("the prompt is empty", "Type or open a text.");
    if (!spec.ids) {
        text::Encoding encoding = tokenizer.encode(spec.text, tokenizer.addsBos());
        prompt.text = spec.text;
        prompt.ids = std::move(encoding.ids);
        prompt.bytes = std::move(encoding.bytes);
    }
    const std::vector<std::int32_t>& ids = spec.ids ? *spec.ids : prompt.ids;
    if (ids.empty()) refuse("the prompt is empty", "Type or open a text.");
    checkLength(static_cast<std::int64_t>(ids.size()), 0, limits.contextLength);
    for (const std::int32_t id : ids)
        if (id < 0 || id >= limits.vocabulary)
            refuse("token id " + std::to_string(id) + " is outside the vocabulary of " +
                   std::to_string(limits.vocabulary));
    if (spec.ids) spellOut(ids, tokenizer, prompt);
    prompt.pieces.resize(prompt.ids.size());
    for (std::size_t i = 0; i < prompt.ids.size(); ++i)
        if (prompt.bytes[i].first == prompt.bytes[i].second)
            prompt.pieces[i] = tokenizer.piece(prompt.ids[i]);
    return prompt;
}

void checkLength(std::int64_t tokens, int generate, std::int64_t contextLength) {
    if (tokens + generate <= contextLength) return;
    std::string message = "the prompt has " + std::to_string(tokens) + " tokens";
    if (generate > 0) message += " and " + std::to_string(generate) + " are to be generated";
    refuse(message + ", the model takes " + std::to_string(contextLength));
}

void checkRequest(const Request& request, const trace::ModelInfo& model) {
    select::validate(request.settings, model.layers);
    if (request.settings.window > model::kMostWindow)
        refuse("window " + std::to_string(request.settings.window) +
               " is out of range, valid: 1 to " + std::to_string(model::kMostWindow));
    if (request.generate < 0)
        refuse("the number of tokens to generate is " + std::to_string(request.generate) +
               ", valid: 0 or more");
    if (request.checkpointBudgetBytes < 0) refuse("the checkpoint budget is below 0");
}

} // namespace fkv::run
