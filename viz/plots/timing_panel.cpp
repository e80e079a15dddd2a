// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_panel.h"

#include "viz/plots/timing_decode.h"
#include "viz/plots/timing_figures.h"
#include "viz/plots/timing_layers.h"
#include "viz/plots/timing_timeline.h"
#include "viz/plots/view_stack.h"
#include "viz/series/gpu_text.h"

#include <limits>

namespace fkv::viz {

TimingPanel::TimingPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("timing"), tr("Timing"), tr("where do the milliseconds go?"),
             tr("Run a prompt to see what each layer costs.")},
            parent) {
    setupViews();
    setupFollowing();
    follow();
}

void TimingPanel::setupViews() {
    m_stack = new ViewStack(std::numeric_limits<int>::max(), this);
    m_charts = {new TimingLayersView(context(), m_stack), new TimelineView(context(), m_stack),
                new DecodeView(context(), m_stack), new TimingFiguresView(context(), m_stack)};
    for (ChartView* chart : m_charts) {
        m_stack->add(chart);
        connect(chart, &ChartView::readoutChanged, this, &TimingPanel::updateReadout);
    }
    setBody(m_stack);
    setViews({tr("Per layer"), tr("Timeline"), tr("Decode"), tr("Figures")});
    m_stack->present(shownChart(), nullptr);
    connect(this, &Panel::viewChanged, this, [this] {
        m_stack->present(shownChart(), nullptr);
        follow();
    });
}

void TimingPanel::setupFollowing() {
    const Shown& shown = context().shown;
    // A fate follows every run, so that both are there when it comes.
    connect(&shown, &Shown::fateChanged, this, &TimingPanel::follow);
    connect(&shown, &Shown::phaseChanged, this, [this] { shownChart()->update(); });
    connect(&context().selection, &Selection::hoverChanged, this, &TimingPanel::updateReadout);
    connect(&context().selection, &Selection::pinnedChanged, this, &TimingPanel::updateReadout);
}

void TimingPanel::follow() {
    shownChart()->follow();
    updateNote();
    updateReadout();
}

void TimingPanel::updateNote() {
    const trace::RunPtr& run = context().shown.run();
    QStringList parts;
    if (view() == PerLayer) parts << tr("left full, right FastKV");
    if (run && !run->machine.device.empty()) {
        QString device = QString::fromStdString(run->machine.device);
        const QString gpu = gpuLine(run->timing.gpu);
        // Of a GPU its own state counts, not the host's threads; its maker is known from its name.
        if (!gpu.isEmpty()) device.remove(QStringLiteral("NVIDIA "));
        if (gpu.isEmpty() && run->machine.threads > 0)
            parts << tr("%1, %2 threads").arg(device).arg(run->machine.threads);
        else
            parts << device;
        if (!gpu.isEmpty()) parts << gpu;
    }
    if (run && run->recorded) parts << tr("recorded");
    setNote(parts.join(QStringLiteral(" · ")));
}

void TimingPanel::updateReadout() {
    setReadout(shownChart()->readout(), shownChart()->shorterReadouts());
}

void TimingPanel::paintFigure(QPainter& painter, const QSize& size) {
    shownChart()->paintFigure(painter, size);
}

QString TimingPanel::csv() const {
    return shownChart()->csv();
}

} // namespace fkv::viz
