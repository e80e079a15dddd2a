// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/label_check.h"
#include "tests/support/view_fixture.h"
#include "viz/plots/timing_decode.h"
#include "viz/plots/timing_figures.h"
#include "viz/plots/timing_layers.h"
#include "viz/plots/timing_panel.h"
#include "viz/plots/timing_timeline.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QTest>
#include <QToolTip>
#include <memory>

namespace fkv::testing {

/// A synthetic run whose times are those of an engine: capture and layers that enclose zones, an
/// embedding, a head, gathered caches and decode steps.
inline trace::RunPtr timedRun(const SyntheticSpec& spec = {}) {
    using trace::PassKind;
    using trace::Zone;
    auto run = std::make_shared<trace::Run>(*makeRun(spec));
    auto& spans = run->timing.spans;
    const auto zones = spans;
    for (int layer = 0; layer < spec.layers; ++layer)
        for (const PassKind pass : {PassKind::Full, PassKind::FastKv}) {
            trace::Span whole{-1, 0, Zone::Layer, pass, static_cast<std::int16_t>(layer), 0, 1000};
            for (const trace::Span& span : zones) {
                if (span.pass != pass || span.layer != layer) continue;
                if (whole.beginNs < 0) whole.beginNs = span.beginNs;
                whole.endNs = span.endNs;
                whole.tokens = span.tokens;
            }
            if (whole.beginNs >= 0) spans.push_back(whole);
        }
    std::int64_t now = zones.back().endNs;
    const auto add = [&](Zone zone, PassKind pass, int layer, double ms) {
        const auto ns = static_cast<std::int64_t>(ms * 1e6);
        spans.push_back({now, now + ns, zone, pass, static_cast<std::int16_t>(layer), 0, 1});
        now += ns;
    };
    for (int layer = 0; layer < spec.layers; ++layer)
        add(Zone::Gather, PassKind::FastKv, layer, 0.001);
    for (const PassKind pass : {PassKind::DecodeFull, PassKind::DecodeFastKv})
        for (int step = 0; step < 5; ++step) {
            add(Zone::Pass, pass, -1, pass == PassKind::DecodeFull ? 4.2 : 2.9);
            add(Zone::Sample, pass, -1, 0.1);
        }
    return run;
}

/// The same with the kernels of a GPU: three in every zone and decode step.
inline trace::RunPtr kernelRun(const SyntheticSpec& spec = {}) {
    auto run = std::make_shared<trace::Run>(*timedRun(spec));
    trace::KernelList& list = run->timing.kernels;
    list.names = {"fkv::cuda::attentionKernel", "nvjet_tst_128x256", "copy"};
    for (std::uint32_t i = 0; i < run->timing.spans.size(); ++i) {
        const trace::Span& span = run->timing.spans[i];
        if (span.zone == trace::Zone::Layer || span.zone == trace::Zone::Sample) continue;
        const std::int64_t third = span.durationNs() / 3;
        for (std::uint32_t k = 0; k < 3; ++k)
            list.kernels.push_back(
                {span.beginNs + k * third, span.beginNs + (k + 1) * third, i, k});
    }
    return run;
}

/// The same on a device whose peaks were measured: full prefill at 76 % of the product rate, full
/// decoding at 88 % of the copy rate.
inline std::shared_ptr<trace::Run> peakedRun(const SyntheticSpec& spec = {}) {
    auto run = std::make_shared<trace::Run>(*timedRun(spec));
    run->model.intermediate = 4 * run->model.hidden;
    run->model.stepWeightBytes = run->model.weightBytes - (2 << 20);
    const viz::LayerFlop flop =
        viz::passFlop(run->model, viz::fullRows(spec.layers, run->tokens()));
    const double bytes =
        static_cast<double>(run->model.stepWeightBytes + run->fastkv->budgets.fullKvBytes);
    run->timing.peaks = trace::DevicePeaks{(flop.linear() + flop.attention) /
                                               (0.76 * *run->timing.fullPrefillMs) * 1e3,
                                           bytes / (0.88 * run->fullAnswer->msPerToken) * 1e3};
    return run;
}

/// The panel in its usual size over a run.
struct TimingStage {
    explicit TimingStage(const trace::RunPtr& run, const QSize& size = {1000, 130})
        : panel(f.context()) {
        f.show(run);
        panel.resize(size);
        panel.show();
    }
    viz::TimingLayersView& layers() {
        return view<viz::TimingLayersView>(viz::TimingPanel::PerLayer);
    }
    viz::TimelineView& timeline() { return view<viz::TimelineView>(viz::TimingPanel::Timeline); }
    viz::DecodeView& decode() { return view<viz::DecodeView>(viz::TimingPanel::Decode); }
    viz::TimingFiguresView& figures() {
        return view<viz::TimingFiguresView>(viz::TimingPanel::Figures);
    }
    void move(int layer, double rate) {
        trace::Settings settings = f.settings.settings();
        settings.tspLayer = layer;
        settings.tsp = trace::Amount::ofRate(rate);
        f.move(settings);
    }
    void moveTo(QWidget& widget, const QPoint& point) { send(widget, point, Qt::NoButton); }
    void dragTo(QWidget& widget, const QPoint& point) { send(widget, point, Qt::LeftButton); }
    void paint() { panel.grab(); }
    /// What is said when the pointer rests there.
    QString tip(QWidget& widget, const QPoint& at) {
        QToolTip::hideText(); // takes its time
        (void)QTest::qWaitFor([] { return !QToolTip::isVisible(); });
        QHelpEvent help(QEvent::ToolTip, at, widget.mapToGlobal(at));
        QApplication::sendEvent(&widget, &help);
        return QToolTip::isVisible() ? QToolTip::text() : QString();
    }

    ViewFixture f;
    viz::TimingPanel panel;

private:
    template <class View>
    View& view(viz::TimingPanel::View which) {
        return *qobject_cast<View*>(panel.chart(which));
    }
    void send(QWidget& widget, const QPoint& point, Qt::MouseButtons buttons) {
        QMouseEvent move(QEvent::MouseMove, point, widget.mapToGlobal(point), Qt::NoButton, buttons,
                         Qt::NoModifier);
        QApplication::sendEvent(&widget, &move);
    }
};

} // namespace fkv::testing
