// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/controller.h"
#include "viz/state/view_context.h"

namespace fkv::app {

/// Everything that the widgets of a window follow. Create it before the window and let it outlive
/// it: the window goes first, then the engine, then the state.
struct Workspace {
    viz::Shown shown;
    viz::Selection selection;
    viz::ViewOptions options;
    viz::SettingsModel settings;
    viz::Theme theme;
    Controller controller{context()};

    viz::ViewContext context() { return {shown, selection, options, settings, theme}; }
};

} // namespace fkv::app
