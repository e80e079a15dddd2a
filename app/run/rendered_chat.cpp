// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/rendered_chat.h"

#include "engine/core/error.h"

namespace fkv::app {

text::RenderedChat renderedChat(const PromptInput& prompt, const text::ChatSupport& support) {
    if (!support.chat) throw Error(ErrorCode::BadArgument, "this prompt cannot be a chat: " + support.reason);
    const PromptInput::Chat chat = prompt.chat.value_or(PromptInput::Chat{});
    const std::string date = chat.date.isEmpty() ? text::today() : chat.date.toStdString();
    return support.chat->render(
        text::chatInput({chat.system.toStdString(), prompt.text.toStdString(), date}));
}

} // namespace fkv::app
