// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QStringList>
#include <vector>

namespace fkv::app {

/// One thing that keys or the mouse do.
struct Shortcut {
    QStringList keys; ///< any of them: "Ctrl+O" as QKeySequence writes it portably, or "Wheel"
    QString what;
};

struct ShortcutGroup {
    QString title;
    std::vector<Shortcut> shortcuts;
};

/// Every key and gesture of the program, in the words of the reader's language.
std::vector<ShortcutGroup> shortcutTable();

} // namespace fkv::app
