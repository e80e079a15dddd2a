// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/amount_editor.h"

#include "viz/plots/elided_label.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

namespace fkv::app {

AmountEditor::AmountEditor(LogSlider::Role role, const QString& title, const viz::Theme& theme,
                           QWidget* parent)
    : QWidget(parent), m_theme(theme) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    m_title = new QLabel(title, this);
    m_achieved = new viz::ElidedLabel(this);
    m_achieved->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    head->addWidget(m_title);
    head->addStretch(1);
    head->addWidget(m_achieved);
    rows->addLayout(head);
    m_slider = new LogSlider(role, theme, this);
    m_slider->setAccessibleName(title);
    rows->addWidget(m_slider);
    setupFields(role, title);
    connect(&theme, &viz::Theme::changed, this, &AmountEditor::applyTheme);
    applyTheme();
}

void AmountEditor::setupFields(LogSlider::Role role, const QString& title) {
    auto* line = new QHBoxLayout;
    line->setSpacing(4);
    line->setContentsMargins(0, 2, 0, 0);
    struct Kind {
        Unit unit;
        QString sign, name;
        int digits;
    };
    static constexpr int kMibDigits = 4;
    std::vector<Kind> kinds{{Percent, QStringLiteral("%"), tr("%1 in percent"), 5},
                            {Tokens, tr("tok"), tr("%1 in tokens"), 6}};
    if (role == LogSlider::Role::KvBudget)
        kinds.push_back({MiB, QStringLiteral("MiB"), tr("%1 in MiB"), kMibDigits});
    for (const Kind& kind : kinds) {
        auto* field = new NumberField(m_theme, kind.sign, this);
        field->setDigits(kind.digits);
        field->setAccessibleName(kind.name.arg(title));
        m_fields[kind.unit] = field;
        line->addWidget(field, kind.digits);
        connect(field, &NumberField::committed, this,
                [this, unit = kind.unit](const QString& text) { Q_EMIT typed(unit, text); });
        connect(field, &NumberField::stepped, this,
                [this, unit = kind.unit](int by) { Q_EMIT stepped(unit, by); });
        connect(field, &NumberField::reverted, this, &AmountEditor::reverted);
    }
    if (role == LogSlider::Role::TspRate) {
        // TSP has no bytes: an empty place keeps its fields above those of KV.
        auto* place = new NumberField(m_theme, QStringLiteral("MiB"), this);
        place->setDigits(kMibDigits);
        QSizePolicy policy = place->sizePolicy();
        policy.setRetainSizeWhenHidden(true);
        place->setSizePolicy(policy);
        place->hide();
        line->addWidget(place, kMibDigits);
    }
    static_cast<QVBoxLayout*>(layout())->addLayout(line);
}

void AmountEditor::show(const Values& values) {
    m_slider->setRate(values.rate);
    m_slider->setCeiling(values.ceiling);
    m_achieved->setText(values.achieved);
    m_achieved->setToolTip(values.achieved);
    m_slider->setAccessibleDescription(values.achieved);
    for (const Unit unit : {Percent, Tokens, MiB}) {
        NumberField* field = m_fields[unit];
        if (!field) continue;
        field->setShown(values.texts[unit]);
        field->setKept(values.kept == unit);
        field->setAccessibleDescription(values.kept == unit ? tr("kept when the prompt changes")
                                                            : QString());
    }
}

QString AmountEditor::achieved() const {
    return m_achieved->text();
}

void AmountEditor::clearFaults() {
    for (NumberField* field : m_fields)
        if (field) field->setFaulty(false);
}

void AmountEditor::applyTheme() {
    m_title->setFont(m_theme.font());
    m_achieved->setFont(m_theme.smallFont());
    m_achieved->setColors(m_theme.palette().mutedText, m_theme.palette().mutedText);
}

} // namespace fkv::app
