// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/select/stabilization.h"
#include "tests/support/view_fixture.h"
#include "viz/plots/layer_chart.h"
#include "viz/plots/stabilization_panel.h"

#include <QMouseEvent>
#include <QToolButton>

namespace fkv::testing {

using View = viz::StabilizationPanel::View;

/// Ten layers tried, the fourth left out, the last one under another rate.
inline viz::Derived derivedOf(const trace::Run& run) {
    viz::Derived derived;
    derived.rankVariance = select::rankVariance(*run.full, {});
    const double kl[] = {6.2, 4.1, 2.0, 1.1, 0.4, 0.11, 0.06, 0.02, 3e-3, 2e-5};
    for (int i = 0; i < 10; ++i) {
        if (i == 3) continue;
        viz::MeasuredLayer m;
        m.settings.tspLayer = i + 2;
        m.firstKl = kl[i];
        m.meanKl = kl[i] * 0.6;
        m.sameAnswer = i > 5;
        m.expectedHolds = i > 5;
        derived.measured.push_back(m);
    }
    derived.measured[8].settings.tsp = trace::Amount::ofRate(0.4);
    return derived;
}

/// The panel over a synthetic run with a tracked fact, a question that reaches into the window, and
/// a pin.
struct StabilizationStage {
    explicit StabilizationStage(const SyntheticSpec& spec = {}, const QSize& size = {500, 190})
        : f(spec), panel(f.context()) {
        panel.resize(size);
        panel.show();
        f.shown.setDerived(derivedOf(*f.shown.run()));
    }
    void track(const SyntheticSpec& spec = {}) {
        f.selection.addSpan({needleBegin(spec), needleBegin(spec) + kNeedleTokens},
                            QStringLiteral("fact"));
        f.selection.addSpan({f.shown.run()->tokens() - 40, f.shown.run()->tokens() - 2},
                            QStringLiteral("question"));
        f.selection.pinToken(f.shown.run()->tokens() / 3, false);
    }
    viz::LayerChart& chart(View view) { return *qobject_cast<viz::LayerChart*>(panel.chart(view)); }
    QPoint at(View view, int layer) { return {qRound(chart(view).xOf(layer)), 60}; }
    void moveTo(QWidget& widget, const QPoint& point) {
        QMouseEvent move(QEvent::MouseMove, point, widget.mapToGlobal(point), Qt::NoButton,
                         Qt::NoButton, Qt::NoModifier);
        QApplication::sendEvent(&widget, &move);
    }
    void dragTo(QWidget& widget, const QPoint& point) {
        QMouseEvent move(QEvent::MouseMove, point, widget.mapToGlobal(point), Qt::NoButton,
                         Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&widget, &move);
    }
    /// Real paint events, as the window gets them.
    void paint() { panel.grab(); }

    ViewFixture f;
    viz::StabilizationPanel panel;
};

inline QToolButton* visibleButton(const QWidget& widget, const QString& start) {
    for (QToolButton* button : widget.findChildren<QToolButton*>())
        if (button->isVisibleTo(&widget) && button->text().startsWith(start)) return button;
    return nullptr;
}

} // namespace fkv::testing
