// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/selection.h"
#include "viz/state/settings_model.h"
#include "viz/state/shown.h"
#include "viz/state/view_options.h"
#include "viz/theme/theme.h"

namespace fkv::viz {

/// Everything a view follows. The window owns the objects; they outlive every view.
struct ViewContext {
    Shown& shown;
    Selection& selection;
    ViewOptions& options;
    SettingsModel& settings;
    Theme& theme;

    /// The layer that single-layer views show: hovering changes nothing, the pinned one, else t.
    int layer() const {
        if (selection.pinnedLayer() >= 0) return selection.pinnedLayer();
        return shown.fate() ? shown.fate()->budgets.tspLayer : settings.settings().tspLayer;
    }
};

}  // namespace fkv::viz
