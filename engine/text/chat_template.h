// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/text/jinja/template.h"
#include "engine/text/tokenizer.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fkv::text {

struct ChatMessage {
    std::string role; ///< "system", "user", "assistant"
    std::string content;
};

/// A conversation to be put into a model's own form.
struct ChatInput {
    std::vector<ChatMessage> messages;
    bool addGenerationPrompt = true;
    /// What strftime_now() tells; absent: the clock. Give one, and the result can be had again.
    std::optional<jinja::Moment> now;
    /// More variables, e.g. {"enable_thinking": false}. `tools` and `documents` are none otherwise.
    nlohmann::ordered_json extra = nlohmann::ordered_json::object();
};

struct RenderedChat {
    std::string text;
    /// The text begins with the BOS token's spelling: tokenizing must not add another.
    bool hasBos = false;
};

/// The chat template of a model folder. Const calls are thread-safe.
class ChatTemplate {
public:
    /// In this order, as Hugging Face transformers has it: chat_template.jinja; `chat_template` in
    /// tokenizer_config.json, a text or a list of named ones of which "default" counts;
    /// chat_template.json. Null when the folder has none. Throws Error{BadFile, Unsupported, Io} in
    /// one line. Special tokens come from tokenizer_config.json, those of BOS and EOS from
    /// `tokenizer` when the file does not speak of them.
    static std::shared_ptr<const ChatTemplate> open(const std::filesystem::path& modelFolder,
                                                    const Tokenizer& tokenizer);

    /// Throws Error{BadArgument} when the template refuses these messages, Error{BadFile} when it
    /// is at fault.
    RenderedChat render(const ChatInput& input) const;
    /// Where it was found: "chat_template.jinja".
    const std::string& origin() const { return m_origin; }

private:
    ChatTemplate(std::string origin, std::string_view source, nlohmann::ordered_json tokens);

    std::string m_origin;
    jinja::Template m_template;
    nlohmann::ordered_json m_tokens; ///< {"bos_token": "<s>", ...}
};

/// The usual conversation: a system message unless `system` is empty, then what the user says, on
/// the day `date`, "2026-01-31". Throws Error{BadArgument} for another form of date.
struct ChatTurn {
    std::string system, user, date;
};
ChatInput chatInput(const ChatTurn& turn);
/// The day by this machine's clock, in that form.
std::string today();

/// Tokens of a rendered chat: spellings of BOS and EOS in the text are these tokens, whatever the
/// kind of tokenizer; BOS is added when the tokenizer wants one and the text brings none.
Encoding encodeChat(const RenderedChat& chat, const Tokenizer& tokenizer);

/// Where the user's words went: byte i of `user` is byte i + shift of `rendered`. The last place
/// counts; white space at the ends, which templates take away, need not be there. Absent when the
/// words are not there as they are.
std::optional<std::int64_t> shiftOf(std::string_view rendered, std::string_view user);

/// A folder's template, or why there is none that can be used: a fault of the template is no fault
/// of the model, which still takes raw prompts.
struct ChatSupport {
    std::shared_ptr<const ChatTemplate> chat; ///< null: see `reason`
    std::string reason;
};
ChatSupport findChatTemplate(const std::filesystem::path& modelFolder, const Tokenizer& tokenizer);

} // namespace fkv::text
