// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/view_fixture.h"
#include "viz/plots/head_view.h"
#include "viz/plots/heads_grid.h"
#include "viz/plots/heads_panel.h"
#include "viz/plots/kv_footer.h"

#include <QtTest>

namespace fkv::testing {

// The panel "KV per head" with a run on show, as its tests drive it.

inline SyntheticSpec demoSpec() {
    SyntheticSpec spec;
    spec.tokens = 3000;
    spec.settings.tspLayer = 7;
    return spec;
}

inline SyntheticSpec largeSpec() {
    SyntheticSpec spec;
    spec.tokens = 20'000;
    spec.layers = 32;
    spec.queryHeads = 8;
    spec.kvHeads = 8;
    spec.settings.tspLayer = 15;
    spec.answers = false;
    return spec;
}

/// Made once: a run is immutable.
inline const trace::RunPtr& demoRun() {
    static const trace::RunPtr run = makeRun(demoSpec());
    return run;
}
inline const trace::RunPtr& largeRun() {
    static const trace::RunPtr run = makeRun(largeSpec());
    return run;
}

inline viz::TokenRange needleOf(const trace::Run& run) {
    SyntheticSpec spec;
    spec.tokens = run.tokens();
    return {needleBegin(spec), needleBegin(spec) + kNeedleTokens};
}

struct Stage {
    ViewFixture fixture;
    viz::HeadsPanel panel;
    explicit Stage(const trace::RunPtr& run, QSize size = {500, 190}) : panel(fixture.context()) {
        fixture.show(run);
        fixture.selection.addSpan(needleOf(*run), QStringLiteral("fact"));
        panel.resize(size);
        panel.show();
        settle();
    }
    void settle() {
        QTRY_VERIFY(!panel.model().indexing());
        QCoreApplication::processEvents();
    }
    const trace::Fate& fate() { return *fixture.shown.fate(); }
    trace::Settings settings() { return fixture.settings.settings(); }
    void moveKv(double rate) {
        trace::Settings s = settings();
        s.kv = trace::Amount::ofRate(rate);
        fixture.move(s);
        QCoreApplication::processEvents();
    }
    void moveTsp(double rate) {
        trace::Settings s = settings();
        s.tsp = trace::Amount::ofRate(rate);
        fixture.move(s);
        QCoreApplication::processEvents();
    }
    QPoint centreOf(viz::HeadPlace at) {
        return panel.grid().layoutNow().cell(at.layer, at.head).center();
    }
};

} // namespace fkv::testing
