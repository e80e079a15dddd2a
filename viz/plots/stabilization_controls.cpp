// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_controls.h"

#include "viz/series/format.h"

#include <QAction>
#include <QActionGroup>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QSpinBox>
#include <QToolButton>
#include <QWidgetAction>
#include <limits>

namespace fkv::viz {
namespace {

constexpr std::int64_t kUsualK = 512;

QToolButton* menuButton(QWidget* parent, const QString& name) {
    auto* button = new QToolButton(parent);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    button->setPopupMode(QToolButton::InstantPopup);
    button->setAccessibleName(name);
    button->setMenu(new QMenu(button));
    button->hide();
    return button;
}

/// A labelled field inside a menu.
void addField(QMenu* menu, const QString& label, QWidget* field) {
    auto* box = new QWidget(menu);
    auto* layout = new QHBoxLayout(box);
    layout->setContentsMargins(28, 2, 8, 4);
    layout->addWidget(new QLabel(label, box));
    layout->addWidget(field, 1);
    auto* action = new QWidgetAction(menu);
    action->setDefaultWidget(box);
    menu->addAction(action);
}

} // namespace

StabilizationControls::StabilizationControls(QWidget* parent) : QObject(parent) {
    setupTopK(parent);
    setupEnd(parent);
    setupMeasure(parent);
    setupLimit(parent);
    setResolved(0, 0);
}

void StabilizationControls::setupTopK(QWidget* parent) {
    m_k = menuButton(parent, tr("K: best tokens compared"));
    QMenu* menu = m_k->menu();
    auto* group = new QActionGroup(menu);
    const auto entry = [&] {
        QAction* action = menu->addAction(QString());
        action->setCheckable(true);
        group->addAction(action);
        return action;
    };
    m_followTsp = entry();
    m_usual = entry();
    m_usual->setText(tr("K = %1").arg(formatCount(kUsualK)));
    m_typed = entry();
    m_typed->setText(tr("K as typed:"));
    m_number = new QSpinBox(menu);
    m_number->setRange(1, std::numeric_limits<int>::max());
    m_number->setValue(static_cast<int>(kUsualK));
    m_number->setGroupSeparatorShown(true);
    m_number->setAccessibleName(tr("K, tokens"));
    addField(menu, tr("tokens"), m_number);
    m_followTsp->setChecked(true);
    connect(m_followTsp, &QAction::triggered, this, [this] {
        choose({TopK::Mode::Tsp, m_topK.fixed});
    });
    connect(m_usual, &QAction::triggered, this, [this] { choose({TopK::Mode::Fixed, kUsualK}); });
    const auto typed = [this] { choose({TopK::Mode::Fixed, m_number->value()}); };
    connect(m_typed, &QAction::triggered, this, typed);
    connect(m_number, &QSpinBox::valueChanged, this, [this, typed] {
        m_typed->setChecked(true);
        typed();
    });
    menu->addSeparator();
    m_withoutEnd = menu->addAction(tr("Without the end"));
    m_withoutEnd->setCheckable(true);
    m_withoutEnd->setToolTip(tr("Leaves out the last 64 scored tokens: recent tokens agree "
                                "everywhere and flatter every curve"));
    connect(m_withoutEnd, &QAction::toggled, this, &StabilizationControls::queryChanged);
}

void StabilizationControls::setupEnd(QWidget* parent) {
    m_end = new QToolButton(parent);
    m_end->setDefaultAction(m_withoutEnd);
    m_end->setAutoRaise(true);
    m_end->setFocusPolicy(Qt::TabFocus);
    // The same choice is in the menu of K, so that a narrow header can squeeze the button away.
    m_end->setMinimumWidth(1);
    m_end->hide();
}

void StabilizationControls::setupMeasure(QWidget* parent) {
    m_measure = menuButton(parent, tr("Maps shown"));
    m_measureActions = new QActionGroup(this);
    const std::pair<LayerMapView::Measure, QString> entries[] = {
        {LayerMapView::Measure::Both, tr("Both")},
        {LayerMapView::Measure::Overlap, tr("Overlap")},
        {LayerMapView::Measure::Recall, tr("Recall")}};
    m_k->menu()->addSeparator();
    for (const auto& [measure, name] : entries) {
        QAction* action = m_measureActions->addAction(name);
        action->setCheckable(true);
        action->setChecked(measure == LayerMapView::Measure::Both);
        connect(action, &QAction::triggered, this, [this, measure = measure, name = name] {
            m_measure->setText(name + QStringLiteral(" ▾"));
            Q_EMIT measureChanged(measure);
        });
    }
    m_measure->setText(tr("Both") + QStringLiteral(" ▾"));
    m_measure->menu()->addActions(m_measureActions->actions());
    m_k->menu()->addActions(m_measureActions->actions());
}

void StabilizationControls::setupLimit(QWidget* parent) {
    m_limit = menuButton(parent, tr("KL limit of the suggested layer"));
    auto* field = new QDoubleSpinBox(m_limit->menu());
    field->setDecimals(4);
    field->setRange(0.0001, 10.0);
    field->setSingleStep(0.01);
    field->setValue(0.05);
    field->setAccessibleName(tr("KL limit, nats"));
    addField(m_limit->menu(), tr("KL at most, nats"), field);
    const auto shown = [this](double nats) {
        m_limit->setText(tr("KL ≤ %1").arg(QString::number(nats, 'g', 3)) + QStringLiteral(" ▾"));
    };
    shown(field->value());
    connect(field, &QDoubleSpinBox::valueChanged, this, [this, shown](double nats) {
        shown(nats);
        Q_EMIT klLimitChanged(nats);
    });
}

bool StabilizationControls::withoutEnd() const {
    return m_withoutEnd->isChecked();
}

QList<QWidget*> StabilizationControls::buttons() const {
    return {m_limit, m_measure, m_k, m_end};
}

void StabilizationControls::choose(const TopK& topK) {
    if (topK == m_topK) return;
    m_topK = topK;
    Q_EMIT queryChanged();
}

void StabilizationControls::setResolved(std::int64_t k, std::int64_t tsp) {
    m_k->setText((k > 0 ? tr("K %1").arg(formatCount(k)) : tr("K")) + QStringLiteral(" ▾"));
    m_followTsp->setText(tsp > 0 ? tr("K as TSP selects, %1").arg(formatCount(tsp))
                                 : tr("K as TSP selects"));
}

void StabilizationControls::showFor(const Needs& needs, int room) {
    // Those without a place in a menu first.
    const auto fit = [&room](QToolButton* button, bool needed, bool needsRoom) {
        constexpr int kSpacing = 6;
        const int width = button->sizeHint().width() + kSpacing;
        const bool shown = needed && (!needsRoom || width <= room);
        if (shown) room -= width;
        button->setVisible(shown);
    };
    fit(m_k, needs.k, false);
    fit(m_limit, needs.limit, false);
    fit(m_measure, needs.maps, true);
    fit(m_end, needs.k, true);
    m_measureActions->setVisible(needs.maps);
}

} // namespace fkv::viz
