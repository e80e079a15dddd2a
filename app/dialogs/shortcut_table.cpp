// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/dialogs/shortcut_table.h"

#include <QCoreApplication>

namespace fkv::app {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(fkv::app::ShortcutTable)
};

Shortcut row(const char* keys, const QString& what) {
    return {QString::fromUtf8(keys).split(QLatin1Char('|')), what};
}

ShortcutGroup windowGroup() {
    return {
        Words::tr("Window"),
        {row("Ctrl+O", Words::tr("open a model")), row("Ctrl+Shift+O", Words::tr("open a trace")),
         row("Ctrl+Return", Words::tr("run the prompt")), row("Ctrl+.", Words::tr("stop")),
         row("Ctrl+R", Words::tr("measure the deployed path")),
         row("Ctrl+S", Words::tr("save the trace")), row("Ctrl+E", Words::tr("export")),
         row("Ctrl+Shift+C", Words::tr("copy settings as a command line")),
         row("Ctrl+F", Words::tr("find in the prompt")),
         row("F3|Shift+F3", Words::tr("next, previous hit")),
         row("F11", Words::tr("maximise the panel, and back")),
         row("Ctrl+Shift+P", Words::tr("presenter type")), row("F1|?", Words::tr("this list"))}};
}

ShortcutGroup settingsGroup() {
    return {Words::tr("Settings"),
            {row("Ctrl+Z", Words::tr("undo settings, outside text fields")),
             row("Ctrl+Y|Ctrl+Shift+Z", Words::tr("redo settings")),
             row("Left|Right", Words::tr("move the focused slider a step")),
             row("PageDown|PageUp", Words::tr("to the next tick; in a field ten steps")),
             row("Home|End", Words::tr("to the ends of the slider")),
             row("Up|Down", Words::tr("step the number of a field")),
             row("Wheel", Words::tr("moves a slider that has the focus")),
             row("Esc", Words::tr("in a field: back to the views"))}};
}

ShortcutGroup viewsGroup() {
    return {Words::tr("Views"),
            {row("Left|Right", Words::tr("token; with Shift ten")),
             row("Up|Down", Words::tr("layer; with Shift ten")),
             row("[|]|PageUp|PageDown", Words::tr("layer above, below")),
             row(",|.", Words::tr("KV head before, after")),
             row("Return", Words::tr("pin what is pointed at")),
             row("P", Words::tr("track it as a span")), row("T", Words::tr("hue shows TSP or KV")),
             row("+|-", Words::tr("zoom in, out")), row("0|Home", Words::tr("show all tokens"))}};
}

ShortcutGroup mouseGroup() {
    return {Words::tr("Mouse"),
            {row("Wheel", Words::tr("zoom positions; in text scroll")),
             row("Ctrl+Wheel", Words::tr("in text: type size")),
             row("Drag", Words::tr("pan; in text select tokens")),
             row("Shift+Drag", Words::tr("zoom to a range")),
             row("Click", Words::tr("pin token, layer or head")),
             row("Shift+Click", Words::tr("one more pin")),
             row("Double click", Words::tr("on an axis: show all")),
             row("Drag the TSP line", Words::tr("move the TSP layer"))}};
}

ShortcutGroup escapeGroup() {
    return {Words::tr("Esc, in this order"),
            {row("1", Words::tr("closes a menu or the find bar")),
             row("2", Words::tr("gives up a drag: the old value is back")),
             row("3", Words::tr("a maximised panel returns")),
             row("4", Words::tr("clears pins; a run is never stopped by Esc"))}};
}

} // namespace

std::vector<ShortcutGroup> shortcutTable() {
    return {windowGroup(), settingsGroup(), viewsGroup(), mouseGroup(), escapeGroup()};
}

} // namespace fkv::app
