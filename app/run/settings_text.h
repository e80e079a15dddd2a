// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/prompt_input.h"
#include "engine/trace/settings.h"

#include <QString>

namespace fkv::app {

/// Where a command line takes model and prompt from.
struct CommandSource {
    QString modelFolder;
    QString promptFile; ///< preferred
    QString promptText; ///< used when there is no file
    std::optional<PromptInput::Chat> chat;
};

/// `fastkv profile ...` that runs the same on a command line, quoted for a POSIX shell. The model
/// and prompt are left out when they are not known.
QString commandLine(const trace::Settings& settings, const CommandSource& source);

/// The settings as one JSON object, indented: keys as in `fastkv profile --json`, budgets in the
/// unit they were given in.
QString settingsJson(const trace::Settings& settings);

/// One word of a POSIX shell's command line, quoted if need be.
QString shellQuoted(const QString& word);

} // namespace fkv::app
