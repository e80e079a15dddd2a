// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"
#include "engine/text/chat_template.h"

namespace fkv::app {

/// What the model's chat template makes of a prompt that is a chat. Throws Error; without a
/// template Error{BadArgument} with the reason.
text::RenderedChat renderedChat(const PromptInput& prompt, const text::ChatSupport& support);

} // namespace fkv::app
