// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/select/fate.h"
#include "tests/support/synthetic_run.h"
#include "viz/state/view_context.h"

#include <QApplication>
#include <QDir>
#include <QWidget>

namespace fkv::testing {

/// The state that a view follows, as the window owns it, with a run on show.
class ViewFixture {
public:
    ViewFixture() = default;
    explicit ViewFixture(const SyntheticSpec& spec) { show(makeRun(spec)); }

    /// Puts a run on show under its own settings and tracks its needle as "fact".
    void show(const trace::RunPtr& run) {
        const trace::FatePtr fate = makeFate(run);
        settings.reset(fate->settings);
        selection.reset(run->tokens(), run->scored());
        shown.setPhase(viz::Shown::Phase::Done, {}, 1.0);
        shown.setRun(run, fate);
    }
    /// A moved control: the fate follows at once, as it does in the window.
    void move(const trace::Settings& to) {
        settings.set(to);
        shown.setFate(select::computeFate(*shown.run(), to, nullptr, shown.fate()));
    }
    viz::ViewContext context() { return {shown, selection, options, settings, theme}; }

    viz::Shown shown;
    viz::Selection selection;
    viz::ViewOptions options;
    viz::SettingsModel settings;
    viz::Theme theme;
};

/// Writes the widget's picture to $FKV_PICTURES/NAME.png when that is set: for looking at.
inline void savePicture(QWidget& widget, const QString& name) {
    const QString folder = qEnvironmentVariable("FKV_PICTURES");
    if (folder.isEmpty()) return;
    QDir().mkpath(folder);
    // Another theme or size reaches palettes and layouts by events.
    for (int i = 0; i < 3; ++i) QCoreApplication::processEvents();
    widget.grab().save(folder + QLatin1Char('/') + name + QStringLiteral(".png"));
}

}  // namespace fkv::testing
