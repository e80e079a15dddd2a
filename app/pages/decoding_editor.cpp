// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/decoding_editor.h"

#include "viz/plots/elided_label.h"

#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace fkv::app {
namespace {

constexpr int kSpacing = 5; ///< of the settings page

} // namespace

DecodingEditor::DecodingEditor(const viz::Theme& theme, QWidget* parent)
    : QWidget(parent), m_theme(theme) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(kSpacing);
    setupHeading();
    setupSampling();
    connect(&theme, &viz::Theme::changed, this, &DecodingEditor::applyTheme);
    applyTheme();
    setOpen(false);
}

void DecodingEditor::setupHeading() {
    auto* line = new QHBoxLayout;
    line->setSpacing(4);
    m_fold = new QToolButton(this);
    m_fold->setText(tr("Decoding"));
    m_fold->setToolTip(tr("How the tokens of answers are chosen"));
    m_fold->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_fold->setCheckable(true);
    m_fold->setAutoRaise(true);
    m_fold->setFocusPolicy(Qt::TabFocus);
    connect(m_fold, &QToolButton::toggled, this, &DecodingEditor::setOpen);
    m_summary = new viz::ElidedLabel(this);
    m_summary->setObjectName(QStringLiteral("drawnHow"));
    QSizePolicy policy = m_summary->sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    m_summary->setSizePolicy(policy);
    line->addWidget(m_fold);
    line->addWidget(m_summary, 1);
    line->addWidget(addField(SettingsField::Generate, 5, tr("Length of an answer in tokens"),
                             tr("Tokens of an answer at most; 0: none is decoded")));
    static_cast<QVBoxLayout*>(layout())->addLayout(line);
}

void DecodingEditor::setupSampling() {
    m_sampling = new QWidget(this);
    auto* rows = new QVBoxLayout(m_sampling);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(kSpacing);
    const auto line = [&] {
        auto* made = new QHBoxLayout;
        made->setSpacing(4);
        rows->addLayout(made);
        return made;
    };
    QHBoxLayout* first = line();
    first->addWidget(addLabel(tr("Temperature")));
    first->addWidget(addField(
        SettingsField::Temperature, 4, tr("Temperature"),
        tr("Logits are divided by it and a token is drawn; 0: greedy, the likeliest token")));
    first->addStretch(1);
    first->addWidget(addLabel(tr("Top-k")));
    first->addWidget(addField(SettingsField::TopK, 4, tr("Top-k"),
                              tr("Draws among this many of the likeliest tokens; 0: all")));
    QHBoxLayout* second = line();
    second->addWidget(addLabel(tr("Seed")));
    second->addWidget(
        addField(SettingsField::Seed, 10, tr("Seed"),
                 tr("Of the draws: full context and FastKV draw with the same numbers")));
    second->addStretch(1);
    second->addWidget(addLabel(tr("Top-p")));
    second->addWidget(
        addField(SettingsField::TopP, 4, tr("Top-p"),
                 tr("Draws among the likeliest that reach this probability; 1: all")));
    layout()->addWidget(m_sampling);
}

QLabel* DecodingEditor::addLabel(const QString& text) {
    m_labels.push_back(new QLabel(text, this));
    return m_labels.back();
}

NumberField* DecodingEditor::addField(SettingsField which, int digits, const QString& name,
                                      const QString& tip) {
    const bool tokens = which == SettingsField::Generate; // as budgets in tokens look
    auto* field = new NumberField(m_theme, tokens ? tr("tok") : QString(), this);
    field->setDigits(digits);
    field->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    field->setAccessibleName(name);
    connect(field, &NumberField::committed, this,
            [this, which](const QString& text) { Q_EMIT typed(which, text); });
    connect(field, &NumberField::stepped, this,
            [this, which](int by) { Q_EMIT stepped(which, by); });
    connect(field, &NumberField::reverted, this, &DecodingEditor::reverted);
    m_fields.push_back({which, field, tip});
    return field;
}

void DecodingEditor::show(const trace::Settings& settings) {
    const trace::Sampling& s = settings.sampling;
    field(SettingsField::Generate).setShown(QString::number(settings.generate));
    field(SettingsField::Temperature).setShown(fieldText(s.temperature));
    field(SettingsField::TopK).setShown(QString::number(s.topK));
    field(SettingsField::TopP).setShown(fieldText(s.topP));
    field(SettingsField::Seed).setShown(QString::number(s.seed));
    for (const Field& f : m_fields) {
        const bool draws =
            f.which != SettingsField::Generate && f.which != SettingsField::Temperature;
        f.field->setEnabled(!draws || !s.greedy());
        const QString tip = f.field->isEnabled()
                                ? f.tip
                                : tr("%1. Not used: at temperature 0 nothing is drawn.").arg(f.tip);
        f.field->setToolTip(tip);
        f.field->setAccessibleDescription(tip);
    }
    const QString words = QString::fromStdString(trace::describe(s));
    m_summary->setText(words);
    m_summary->setShorter({s.greedy() ? words : tr("sampled")});
    m_summary->setToolTip(words);
}

NumberField& DecodingEditor::field(SettingsField which) {
    for (const Field& f : m_fields)
        if (f.which == which) return *f.field;
    qFatal("not a field of decoding");
}

void DecodingEditor::clearFaults() {
    for (const Field& f : m_fields)
        f.field->setFaulty(false);
}

bool DecodingEditor::open() const {
    return m_fold->isChecked();
}

void DecodingEditor::setOpen(bool open) {
    m_fold->setChecked(open);
    m_fold->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    m_sampling->setVisible(open);
    m_summary->setVisible(!open);
}

QSize DecodingEditor::minimumSizeHint() const {
    const QSize own = QWidget::minimumSizeHint();
    return {std::max(own.width(), m_sampling->layout()->minimumSize().width()), own.height()};
}

void DecodingEditor::applyTheme() {
    m_fold->setFont(m_theme.font());
    for (QLabel* label : m_labels)
        label->setFont(m_theme.font());
    m_summary->setFont(m_theme.smallFont());
    m_summary->setColors(m_theme.palette().mutedText, m_theme.palette().mutedText);
}

} // namespace fkv::app
