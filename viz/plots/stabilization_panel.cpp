// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_panel.h"

#include "viz/plots/layer_chart.h"
#include "viz/plots/stabilization_controls.h"
#include "viz/plots/stabilization_curves.h"
#include "viz/plots/stabilization_map.h"
#include "viz/plots/stabilization_measured.h"
#include "viz/plots/stabilization_tracked.h"
#include "viz/plots/stabilization_variance.h"
#include "viz/plots/view_stack.h"

#include <QPainter>

namespace fkv::viz {
namespace {

constexpr int kTwoViewsFrom = 320; ///< px of body height

} // namespace

StabilizationPanel::StabilizationPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("stabilization"), tr("Stabilization"),
             tr("when do later layers agree with this one, and what if TSP cut here?"),
             tr("Run a prompt to see when importance settles.")},
            parent) {
    setupViews();
    setupControls();
    setupFollowing();
    m_choosing = true;
    setView(Curves);
    m_choosing = false;
    chooseView();
    presentView();
}

void StabilizationPanel::setupViews() {
    m_stack = new ViewStack(kTwoViewsFrom, this);
    m_curves = new CurvesView(context(), m_stack);
    m_measured = new MeasuredView(context(), m_stack);
    m_map = new LayerMapView(context(), m_stack);
    m_charts = {new TrackedView(context(), m_stack), m_curves, m_measured,
                new RankVarianceView(context(), m_stack), m_map};
    for (ChartView* chart : m_charts) {
        m_stack->add(chart);
        connect(chart, &ChartView::readoutChanged, this, &StabilizationPanel::updateReadout);
    }
    setBody(m_stack);
    setViews(
        {tr("Tracked"), tr("Curves"), tr("Measured"), tr("Rank variance"), tr("Layer × layer")});
    connect(this, &Panel::viewChanged, this, [this] {
        if (!m_choosing) m_userChose = true;
        presentView();
    });
    connect(m_stack, &ViewStack::shownChanged, this, [this] {
        auto* upper = qobject_cast<LayerChart*>(m_stack->upper());
        auto* lower = qobject_cast<LayerChart*>(m_stack->lower());
        if (upper) upper->alignWith(lower);
        if (lower) lower->alignWith(upper);
        adaptHeader();
        follow();
    });
}

void StabilizationPanel::setupControls() {
    m_controls = new StabilizationControls(this);
    for (QWidget* button : m_controls->buttons())
        addHeaderWidget(button);
    connect(m_controls, &StabilizationControls::queryChanged, this, &StabilizationPanel::follow);
    connect(m_controls, &StabilizationControls::queryChanged, this,
            &StabilizationPanel::topKChanged);
    connect(m_controls, &StabilizationControls::measureChanged, m_map, &LayerMapView::setMeasure);
    connect(m_controls, &StabilizationControls::klLimitChanged, m_measured,
            &MeasuredView::setKlLimit);
}

void StabilizationPanel::setupFollowing() {
    const Shown& shown = context().shown;
    const Selection& selection = context().selection;
    connect(&shown, &Shown::runChanged, this, &StabilizationPanel::chooseView);
    connect(&shown, &Shown::fateChanged, this, &StabilizationPanel::follow);
    connect(&shown, &Shown::derivedChanged, this, &StabilizationPanel::follow);
    connect(&shown, &Shown::phaseChanged, m_stack, [this] {
        for (ChartView* chart : m_charts)
            chart->update();
    });
    connect(&selection, &Selection::marksChanged, this, [this] {
        chooseView();
        presentView();
        follow();
    });
    connect(&selection, &Selection::hoverChanged, this, &StabilizationPanel::updateReadout);
    connect(&selection, &Selection::pinnedChanged, this, &StabilizationPanel::updateReadout);
    connect(&context().settings, &SettingsModel::changed, this, &StabilizationPanel::follow);
}

std::int64_t StabilizationPanel::topK() const {
    const Shown& shown = context().shown;
    if (!shown.run() || !shown.fate()) return 0;
    return resolveTopK(m_controls->topK(), shown.fate()->budgets, shown.run()->scored());
}

bool StabilizationPanel::withoutEnd() const {
    return m_controls->withoutEnd();
}

void StabilizationPanel::chooseView() {
    const trace::RunPtr& run = context().shown.run();
    const auto prompt = run ? run->prompt : nullptr;
    const bool span = context().selection.firstSpan() != nullptr;
    m_choosing = true;
    const bool same = prompt == m_prompt || (prompt && m_prompt && prompt->ids == m_prompt->ids);
    m_prompt = prompt;
    if (!same) {
        m_userChose = m_switched = false;
        if (view() == Tracked && !span) setView(Curves);
    }
    if (run && span && !m_userChose && !m_switched) {
        m_switched = true;
        setView(Tracked);
    }
    m_choosing = false;
}

void StabilizationPanel::presentView() {
    ChartView* upper = chart(static_cast<View>(view()));
    // The one that says most beside it.
    ChartView* lower = view() != Curves                      ? chart(Curves)
                       : context().selection.marks().empty() ? chart(LayerByLayer)
                                                             : chart(Tracked);
    m_stack->present(upper, lower);
}

void StabilizationPanel::adaptHeader() {
    const auto inSight = [this](View view) {
        return m_stack->upper() == chart(view) || m_stack->lower() == chart(view);
    };
    m_controls->showFor(
        {inSight(Curves) || inSight(LayerByLayer), inSight(LayerByLayer), inSight(Measured)},
        headerRoom());
    switch (view()) {
    case Tracked:
        setNote(tr("● all pass  ○ some  × none"), tr("● all  ○ some  × none"));
        break;
    case Measured:
        setNote(tr("✔ same answer  × another one"), tr("✔ same  × other"));
        break;
    case RankVariance:
        setNote(tr("a reference of another method"), tr("reference"));
        break;
    default:
        setNote(withoutEnd() ? tr("full pass, without its last 64 scored tokens")
                             : tr("full pass"));
        break;
    }
}

void StabilizationPanel::followQuery() {
    const std::int64_t k = topK();
    const Shown& shown = context().shown;
    const std::int64_t tsp =
        k > 0 ? resolveTopK({}, shown.fate()->budgets, shown.run()->scored()) : 0;
    m_controls->setResolved(k, tsp);
    m_curves->setQuery({k, withoutEnd()});
    m_map->setQuery({k, withoutEnd()});
    if (k == m_topK) return;
    m_topK = k;
    Q_EMIT topKChanged();
}

void StabilizationPanel::follow() {
    followQuery();
    adaptHeader();
    for (QWidget* view : {m_stack->upper(), m_stack->lower()})
        if (view) static_cast<ChartView*>(view)->follow();
    updateReadout();
}

void StabilizationPanel::updateReadout() {
    const ChartView* upper = chart(static_cast<View>(view()));
    setReadout(upper->readout(), upper->shorterReadouts());
}

void StabilizationPanel::resizeEvent(QResizeEvent* event) {
    Panel::resizeEvent(event);
    adaptHeader();
}

void StabilizationPanel::paintFigure(QPainter& painter, const QSize& size) {
    const auto* upper = chart(static_cast<View>(view()));
    const auto* lower = static_cast<const ChartView*>(m_stack->lower());
    const int height = lower ? (size.height() - ViewStack::kGap) / 2 : size.height();
    upper->paintFigure(painter, {size.width(), height});
    if (!lower) return;
    painter.save();
    painter.translate(0, height + ViewStack::kGap);
    lower->paintFigure(painter, {size.width(), size.height() - height - ViewStack::kGap});
    painter.restore();
}

QString StabilizationPanel::csv() const {
    return chart(static_cast<View>(view()))->csv();
}

} // namespace fkv::viz
