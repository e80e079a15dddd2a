// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/shown.h"

#include <QString>

namespace fkv::app {

/// What the status bar says in one chip (VIEWS section 1): how sure the values on show are.
struct StateWords {
    enum class Kind { Nothing, Exact, Preview, Working, Recorded, Cancelled, Failed };
    Kind kind = Kind::Nothing;
    QString text;   ///< "Exact", "Preview: layers 8–15 from full-pass scores", "Rerun 40 %"
    QString detail; ///< a sentence that explains it
    bool operator==(const StateWords&) const = default;
};
StateWords stateWords(const viz::Shown& shown);

/// KV of the setting against full context, and what the program holds.
struct MemoryWords {
    QString text, detail;
    bool reduced = false; ///< something did not fit and was given up
    bool operator==(const MemoryWords&) const = default;
};
MemoryWords memoryWords(const viz::Shown& shown);

} // namespace fkv::app
