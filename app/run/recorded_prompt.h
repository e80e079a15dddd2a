// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"
#include "engine/trace/run.h"

namespace fkv::app {

/// The prompt of a trace as the prompt page holds it. A trace keeps no spans: those of a sample
/// with the same text serve, else the place where the text holds the expected answer.
PromptInput recordedPrompt(const trace::Prompt& prompt);

} // namespace fkv::app
