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

/// Text and tokens of what was typed, through the chat template when the prompt is a chat.
void read(const std::string& typed, const PromptMaker& maker, trace::Prompt& prompt) {
    const text::Tokenizer& tokenizer = maker.tokenizer;
    text::Encoding encoding;
    if (prompt.chat) {
        if (!maker.chat.chat)
            refuse("this prompt cannot be a chat: " + maker.chat.reason,
                   "Run the prompt as it is.");
        const trace::ChatParts& parts = *prompt.chat;
        text::RenderedChat rendered =
            maker.chat.chat->render(text::chatInput({parts.system, parts.user, parts.date}));
        encoding = text::encodeChat(rendered, tokenizer);
        prompt.text = std::move(rendered.text);
    } else {
        encoding = tokenizer.encode(typed, tokenizer.addsBos());
        prompt.text = typed;
    }
    prompt.ids = std::move(encoding.ids);
    prompt.bytes = std::move(encoding.bytes);
}

} // namespace

trace::Prompt makePrompt(const PromptSpec& spec, const PromptMaker& maker,
                         const PromptLimits& limits) {
    const text::Tokenizer& tokenizer = maker.tokenizer;
    trace::Prompt prompt;
    prompt.expected = spec.expected;
    if (!spec.ids && spec.text.empty()) refuse("the prompt is empty", "Type or open a text.");
    if (spec.chat)
        prompt.chat = {spec.chat->system, spec.text,
                       spec.chat->date.empty() ? text::today() : spec.chat->date};
    if (!spec.ids) read(spec.text, maker, prompt);
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
    if (request.memory.checkpointBytes.value_or(0) < 0) refuse("the checkpoint budget is below 0");
    if (request.memory.limitBytes < 0) refuse("the memory limit is below 0");
}

} // namespace fkv::run
