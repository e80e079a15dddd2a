// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_panel.h"

#include "viz/plots/color_bar.h"
#include "viz/plots/importance_csv.h"
#include "viz/plots/importance_view.h"
#include "viz/series/format.h"
#include "viz/series/importance.h"

#include <QActionGroup>
#include <QEvent>
#include <QMenu>
#include <QPainter>
#include <QTimer>
#include <QToolButton>
#include <cmath>

namespace fkv::viz {

ImportancePanel::ImportancePanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("importance"), tr("Importance"),
             tr("which parts of the prompt matter at each layer, and which survive?"),
             tr("Open a sample or type a prompt, then press Run.")},
            parent),
      m_readout(context) {
    m_map = new ImportanceView(context, this);
    m_colorBar = new ColorBar(context, this);
    setupOptions();
    addHeaderWidget(m_options);
    addHeaderWidget(m_colorBar);
    setBody(m_map);
    setupFollowing();
    updateAll();
}

void ImportancePanel::setupOptions() {
    m_options = new QToolButton(this);
    m_options->setAutoRaise(true);
    m_options->setPopupMode(QToolButton::InstantPopup);
    m_options->setFocusPolicy(Qt::TabFocus);
    m_options->setMenu(new QMenu(m_options));
    using O = ViewOptions;
    addChoice(
        tr("Scores from"), {tr("Full pass"), tr("FastKV's own pass")},
        [](const O& o) { return static_cast<int>(o.source()); },
        [](O& o, int i) { o.setSource(static_cast<O::Source>(i)); });
    addChoice(
        tr("Lightness"), {tr("Rank among all tokens"), tr("Attention mass")},
        [](const O& o) { return static_cast<int>(o.scale()); },
        [](O& o, int i) { o.setScale(static_cast<O::Scale>(i)); });
    addChoice(
        tr("Hue: kept or dropped by"), {tr("TSP\tT"), tr("KV budget\tT")},
        [](const O& o) { return static_cast<int>(o.fateMode()); },
        [](O& o, int i) { o.setFateMode(static_cast<O::FateMode>(i)); });
}

void ImportancePanel::addChoice(const QString& title, const QStringList& names,
                                int (*get)(const ViewOptions&), void (*set)(ViewOptions&, int)) {
    m_options->menu()->addSection(title);
    auto* group = new QActionGroup(this);
    for (int i = 0; i < names.size(); ++i) {
        QAction* action = m_options->menu()->addAction(names[i]);
        action->setCheckable(true);
        group->addAction(action);
        connect(action, &QAction::triggered, this, [this, set, i] { set(context().options, i); });
    }
    m_choices.push_back({group, get});
}

void ImportancePanel::setupFollowing() {
    const ViewContext& c = context();
    connect(&c.shown, &Shown::runChanged, this, &ImportancePanel::updateAll);
    connect(&c.shown, &Shown::fateChanged, this, [this] {
        updateLegend();
        updateReadout();
    });
    connect(&c.options, &ViewOptions::changed, this, &ImportancePanel::updateAll);
    connect(&c.theme, &Theme::changed, this, &ImportancePanel::updateAll);
    connect(&c.settings, &SettingsModel::changed, this, &ImportancePanel::updateReadout);
    connect(&c.selection, &Selection::rangeChanged, this, &ImportancePanel::updateNote);
    connect(&c.selection, &Selection::hoverChanged, this, &ImportancePanel::updateReadout);
    connect(&c.selection, &Selection::pinnedChanged, this, &ImportancePanel::updateReadout);
    connect(m_map, &ImportanceView::resized, this, &ImportancePanel::updateNote);
}

void ImportancePanel::updateAll() {
    updateOptions();
    updateLegend();
    updateNote();
    updateReadout();
}

void ImportancePanel::updateOptions() {
    const ViewOptions& o = context().options;
    for (const Choice& choice : m_choices)
        choice.group->actions().at(choice.get(o))->setChecked(true);
    const QString scale = o.scale() == ViewOptions::Scale::Rank ? tr("Rank") : tr("Mass");
    const QString fate =
        o.fateMode() == ViewOptions::FateMode::Tsp ? tr("fate TSP") : tr("fate KV");
    const QString shown = scale + QStringLiteral(" · ") + fate;
    m_options->setText(shown + QStringLiteral(" ▾"));
    m_options->setFont(context().theme.smallFont());
    m_options->setAccessibleName(tr("What the map shows: %1").arg(shown));
}

void ImportancePanel::updateLegend() {
    const auto& run = context().shown.run();
    const auto& fate = context().shown.fate();
    m_colorBar->setVisible(run && fate);
    m_colorBar->setAccessibleDescription(tr("Triangles: TSP rate in orange, KV rate in blue"));
    if (!run || !fate) return;
    if (context().options.scale() == ViewOptions::Scale::Mass) {
        m_colorBar->setScale(massLabels(), true);
        m_colorBar->setTriangles({});
        return;
    }
    m_colorBar->setScale(importanceLabels(run->scored()), true);
    const float high = importanceHigh(run->scored());
    const Palette& colours = context().theme.palette();
    std::vector<ColorBar::Triangle> triangles;
    const auto mark = [&](double rate, const QColor& colour) {
        if (rate > 0.0 && rate < 1.0)
            triangles.push_back(
                {rampPosition(static_cast<float>(-std::log10(rate)), kImportanceLow, high),
                 colour});
    };
    mark(fate->budgets.kvRate, colours.fastkv);
    if (fate->budgets.tspOn) mark(fate->budgets.tspRate, colours.tspLine);
    m_colorBar->setTriangles(std::move(triangles));
}

void ImportancePanel::updateNote() {
    const auto& run = context().shown.run();
    if (!run || !context().shown.fate()) return setNote({});
    const std::int64_t perCell = m_map->axis().tokensPerCell();
    QStringList parts;
    if (run->scored() > 0)
        parts << (perCell == 1 ? tr("1 token a cell")
                               : tr("%1 tokens a cell").arg(formatCount(perCell)));
    parts << (context().options.source() == ViewOptions::Source::Full ? tr("full pass")
                                                                      : tr("FastKV pass"));
    if (run->recorded) parts << tr("recorded");
    setNote(parts.join(QStringLiteral(" · ")));
}

void ImportancePanel::updateReadout() {
    // Many changes of one frame make one text.
    if (m_readoutDue) return;
    m_readoutDue = true;
    QTimer::singleShot(0, this, [this] {
        m_readoutDue = false;
        setReadout(m_readout.text(m_map->image()));
    });
}

QString ImportancePanel::legendText() const {
    const ViewOptions& o = context().options;
    const QString lightness = o.scale() == ViewOptions::Scale::Rank
                                  ? tr("lightness: best token of the cell, by rank over all heads")
                                  : tr("lightness: attention mass of the cell against uniform");
    const QString hue = o.fateMode() == ViewOptions::FateMode::Tsp
                            ? tr("hue: that token passes TSP or not")
                            : tr("hue: at least one KV head keeps that token or none");
    const QString text = lightness + QStringLiteral(" · ") + hue;
    return m_colorBar->scale().triangles.empty()
               ? text
               : text + tr(" · triangles: TSP (orange) and KV rate");
}

void ImportancePanel::paintFigure(QPainter& painter, const QSize& size) {
    if (!hasContent()) return;
    const QSize legend = ColorBar::sizeFor(context().theme, m_colorBar->scale());
    const int gap = 4;
    const QRect bar(QPoint(size.width() - legend.width(), 0), legend);
    ColorBar::paint(painter, bar, m_colorBar->scale(), context().theme);
    painter.save();
    const QFont font = context().theme.smallFont();
    painter.setFont(font);
    painter.setPen(context().theme.palette().mutedText);
    const QRect words(0, 0, std::max(0, bar.left() - 2 * gap), legend.height());
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter,
                     QFontMetrics(font).elidedText(legendText(), Qt::ElideRight, words.width()));
    painter.translate(0, legend.height() + gap);
    m_map->paintFigure(painter, QSize(size.width(), size.height() - legend.height() - gap));
    painter.restore();
}

QString ImportancePanel::csv() const {
    return importanceCsv(context(), m_map->image().rowsOfMap());
}

} // namespace fkv::viz
