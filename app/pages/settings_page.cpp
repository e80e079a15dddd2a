// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/settings_page.h"

#include "app/pages/choice_button.h"
#include "app/pages/focused_wheel.h"
#include "app/pages/layer_slider.h"
#include "engine/select/budgets.h"
#include "viz/plots/elided_label.h"
#include "viz/series/format.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>

namespace fkv::app {
namespace {

using trace::Amount;
using trace::Method;
using trace::Settings;

SettingsField fieldOf(bool tsp, AmountEditor::Unit unit) {
    if (unit == AmountEditor::Percent)
        return tsp ? SettingsField::TspPercent : SettingsField::KvPercent;
    if (unit == AmountEditor::Tokens)
        return tsp ? SettingsField::TspTokens : SettingsField::KvTokens;
    return SettingsField::KvMiB;
}

} // namespace

SettingsPage::SettingsPage(const viz::ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setObjectName(QStringLiteral("settings"));
    setAccessibleName(tr("Settings"));
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(8, 6, 8, 4);
    rows->setSpacing(4);
    setupMethod();
    m_fastkvPart = new QWidget(this);
    m_fastkvPart->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* inner = new QVBoxLayout(m_fastkvPart);
    inner->setContentsMargins(0, 0, 0, 0);
    inner->setSpacing(5);
    rows->addWidget(m_fastkvPart);
    setupLayer();
    setupAmounts();
    setupScoring();
    setupDecoding();
    setupMessage();
    rows->addStretch(1);
    setupFollowing();
    applyTheme();
    refresh();
}

void SettingsPage::setupMethod() {
    auto* line = new QHBoxLayout;
    line->setSpacing(1);
    m_method = new QButtonGroup(this);
    for (const Method method : {Method::Full, Method::FastKv}) {
        const bool full = method == Method::Full;
        auto* choice = new ChoiceButton(m_context.theme, full ? tr("Full") : tr("FastKV"), this);
        choice->setAccessibleName(full ? tr("Full context: nothing is dropped")
                                       : tr("FastKV: TSP and a KV budget"));
        choice->setToolTip(choice->accessibleName());
        m_method->addButton(choice, static_cast<int>(method));
        line->addWidget(choice);
    }
    const auto button = [this, line](const QString& text, const QString& name) {
        auto* b = new QToolButton(this);
        b->setText(text);
        b->setAccessibleName(name);
        b->setToolTip(name);
        b->setFocusPolicy(Qt::TabFocus);
        b->setAutoRaise(true);
        line->addWidget(b);
        return b;
    };
    line->addStretch(1);
    m_undo = button(QStringLiteral("↶"), tr("Undo settings (Ctrl+Z)"));
    m_redo = button(QStringLiteral("↷"), tr("Redo settings (Ctrl+Shift+Z)"));
    m_defaults = button(tr("Defaults"), tr("Settings a model starts with"));
    static_cast<QVBoxLayout*>(layout())->addLayout(line);
    connect(m_method, &QButtonGroup::idClicked, this, [this](int id) {
        Settings settings = m_context.settings.settings();
        settings.method = static_cast<Method>(id);
        apply(settings);
    });
    connect(m_undo, &QToolButton::clicked, this, [this] { m_context.settings.undo(); });
    connect(m_redo, &QToolButton::clicked, this, [this] { m_context.settings.redo(); });
    connect(m_defaults, &QToolButton::clicked, this,
            [this] { apply(select::defaultSettings(ground().model.layers)); });
}

NumberField* SettingsPage::addField(QBoxLayout* line, SettingsField which, int digits) {
    auto* field = new NumberField(m_context.theme, {}, this);
    field->setDigits(digits);
    field->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    line->addWidget(field);
    connect(field, &NumberField::committed, this,
            [this, which, field](const QString& text) { commit(which, field, text); });
    connect(field, &NumberField::stepped, this, [this, which](int by) { step(which, by); });
    connect(field, &NumberField::reverted, this, &SettingsPage::clearFaults);
    return field;
}

void SettingsPage::setupLayer() {
    auto* line = new QHBoxLayout;
    line->setSpacing(6);
    auto* label = new QLabel(tr("TSP layer"), this);
    m_labels.push_back(label);
    line->addWidget(label);
    m_layer = addField(line, SettingsField::TspLayer, 3);
    m_layer->setObjectName(QStringLiteral("tspLayerField"));
    m_layer->setAccessibleName(tr("TSP layer"));
    m_layerNote = new viz::ElidedLabel(this);
    line->addWidget(m_layerNote, 1);
    m_layerSlider = new LayerSlider(m_context.theme, this);
    m_layerSlider->setAccessibleName(tr("TSP layer"));
    auto* rows = static_cast<QVBoxLayout*>(m_fastkvPart->layout());
    rows->addLayout(line);
    rows->addWidget(m_layerSlider);
    follow(m_layerSlider,
           [this](Settings& settings) { settings.tspLayer = m_layerSlider->layer(); });
}

void SettingsPage::setupAmounts() {
    auto* rows = static_cast<QVBoxLayout*>(m_fastkvPart->layout());
    m_tsp = new AmountEditor(LogSlider::Role::TspRate, tr("TSP rate"), m_context.theme, this);
    m_kv = new AmountEditor(LogSlider::Role::KvBudget, tr("KV budget"), m_context.theme, this);
    rows->addWidget(m_tsp);
    rows->addWidget(m_kv);
    follow(&m_tsp->slider(),
           [this](Settings& settings) { settings.tsp = Amount::ofRate(m_tsp->slider().rate()); });
    follow(&m_kv->slider(),
           [this](Settings& settings) { settings.kv = Amount::ofRate(m_kv->slider().rate()); });
    connectAmount(m_tsp, true);
    connectAmount(m_kv, false);
}

void SettingsPage::connectAmount(AmountEditor* editor, bool tsp) {
    connect(editor, &AmountEditor::typed, this,
            [this, editor, tsp](AmountEditor::Unit unit, const QString& text) {
                commit(fieldOf(tsp, unit), &editor->field(unit), text);
            });
    connect(editor, &AmountEditor::stepped, this,
            [this, tsp](AmountEditor::Unit unit, int by) { stepAmount(fieldOf(tsp, unit), by); });
    connect(editor, &AmountEditor::reverted, this, &SettingsPage::clearFaults);
}

void SettingsPage::setupScoring() {
    auto* line = new QHBoxLayout;
    line->setSpacing(4);
    const auto label = [this, line](const QString& text) {
        auto* l = new QLabel(text, this);
        m_labels.push_back(l);
        line->addWidget(l);
    };
    label(tr("Window"));
    m_window = addField(line, SettingsField::Window, 3);
    m_window->setObjectName(QStringLiteral("windowField"));
    m_window->setAccessibleName(tr("Window in tokens"));
    line->addStretch(1);
    label(tr("Pool"));
    m_kernel = addField(line, SettingsField::Kernel, 2);
    m_kernel->setObjectName(QStringLiteral("kernelField"));
    m_kernel->setAccessibleName(tr("Pooling kernel in tokens, odd"));
    m_pooling = new QComboBox(this);
    m_pooling->setAccessibleName(tr("Pooling"));
    m_pooling->addItem(tr("max"));
    m_pooling->addItem(tr("avg"));
    new FocusedWheel(m_pooling);
    line->addWidget(m_pooling);
    static_cast<QVBoxLayout*>(m_fastkvPart->layout())->addLayout(line);
    connect(m_pooling, &QComboBox::activated, this, [this](int index) {
        Settings settings = m_context.settings.settings();
        settings.pooling = index == 0 ? trace::Pooling::Max : trace::Pooling::Average;
        apply(settings);
    });
}

void SettingsPage::setupDecoding() {
    m_decoding = new DecodingEditor(m_context.theme, this);
    layout()->addWidget(m_decoding);
    connect(m_decoding, &DecodingEditor::typed, this,
            [this](SettingsField field, const QString& text) {
                commit(field, &m_decoding->field(field), text);
            });
    connect(m_decoding, &DecodingEditor::stepped, this, &SettingsPage::step);
    connect(m_decoding, &DecodingEditor::reverted, this, &SettingsPage::clearFaults);
}

void SettingsPage::setupMessage() {
    m_message = new QLabel(this);
    m_message->setWordWrap(true);
    m_message->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_message->setAccessibleName(tr("Notes on the settings"));
    static_cast<QVBoxLayout*>(layout())->addWidget(m_message);
}

void SettingsPage::setupFollowing() {
    const auto settled = [this] {
        clearFaults();
        refresh();
    };
    connect(&m_context.settings, &viz::SettingsModel::changed, this, settled);
    connect(&m_context.settings, &viz::SettingsModel::historyChanged, this, &SettingsPage::refresh);
    connect(&m_context.shown, &viz::Shown::runChanged, this, [this] {
        keepMiB();
        refresh();
    });
    connect(&m_context.shown, &viz::Shown::fateChanged, this, &SettingsPage::refresh);
    connect(&m_context.shown, &viz::Shown::derivedChanged, this, &SettingsPage::refreshLayer);
    connect(&m_context.theme, &viz::Theme::changed, this, &SettingsPage::applyTheme);
}

void SettingsPage::follow(PaintedSlider* slider, std::function<void(Settings&)> take) {
    viz::SettingsModel& model = m_context.settings;
    connect(slider, &PaintedSlider::gestureBegan, &model, &viz::SettingsModel::beginDrag);
    connect(slider, &PaintedSlider::gestureEnded, &model, &viz::SettingsModel::endDrag);
    connect(slider, &PaintedSlider::gestureCancelled, &model, &viz::SettingsModel::cancelDrag);
    connect(slider, &PaintedSlider::moved, this, [this, take = std::move(take)] {
        Settings settings = m_context.settings.settings();
        take(settings);
        apply(settings);
    });
}

void SettingsPage::setModel(const trace::ModelInfo& model) {
    m_model = model;
    refresh();
}

QString SettingsPage::message() const {
    return m_message->text();
}

QSize SettingsPage::minimumSizeHint() const {
    return {std::max(QWidget::minimumSizeHint().width(), m_context.theme.scaled(232)),
            QWidget::minimumSizeHint().height()};
}

Ground SettingsPage::ground() const {
    const trace::RunPtr& run = m_context.shown.run();
    return run ? Ground{run->model, run->tokens()} : Ground{m_model, 0};
}

void SettingsPage::apply(const Settings& settings) {
    m_context.settings.set(settings);
}

void SettingsPage::commit(SettingsField field, NumberField* source, const QString& text) {
    const EditResult result = edited(m_context.settings.settings(), field, text, ground());
    if (!result.settings) {
        clearFaults();
        m_fault = result.fault;
        source->setFaulty(true);
        refreshMessage();
        return;
    }
    source->setFaulty(false);
    m_fault.clear();
    if (field == SettingsField::KvMiB)
        m_typedBytes = TypedBytes{text, result.settings->kv};
    else if (field == SettingsField::KvPercent || field == SettingsField::KvTokens)
        m_typedBytes.reset();
    apply(*result.settings);
    refresh(); // also when nothing changed: the field takes the setting's spelling, the dot moves
}

void SettingsPage::step(SettingsField field, int by) {
    const EditResult result = stepped(m_context.settings.settings(), field, by, ground());
    if (result.settings) apply(*result.settings); // at the end of the range a step does nothing
}

void SettingsPage::stepAmount(SettingsField field, int by) {
    Settings settings = m_context.settings.settings();
    const bool tsp = field == SettingsField::TspPercent || field == SettingsField::TspTokens;
    Amount& amount = tsp ? settings.tsp : settings.kv;
    const auto ends = [by](SliderStep one, SliderStep page) {
        return std::abs(by) > 1 ? page : one;
    };
    if (field == SettingsField::TspTokens || field == SettingsField::KvTokens) {
        const trace::FatePtr& fate = m_context.shown.asked();
        if (!fate) return;
        const std::int64_t have =
            tsp ? fate->budgets.propagated : fate->budgets.layers.front().kept;
        const std::int64_t now = amount.unit == Amount::Unit::Tokens ? amount.tokens : have;
        amount = Amount::ofTokens(std::clamp<std::int64_t>(now + by, 1, fate->budgets.tokens));
    } else if (field != SettingsField::KvMiB) {
        const double rate = (tsp ? m_tsp : m_kv)->slider().rate();
        if (std::isnan(rate)) return;
        amount = Amount::ofRate(
            steppedRate(rate, by > 0 ? ends(SliderStep::Up, SliderStep::PageUp)
                                     : ends(SliderStep::Down, SliderStep::PageDown)));
    } else {
        return; // a step of bytes has no natural size
    }
    apply(settings);
}

void SettingsPage::keepMiB() {
    // Tokens follow from bytes only once the new prompt's length is known: now.
    const Settings& now = m_context.settings.settings();
    if (!m_typedBytes || now.kv != m_typedBytes->became || m_context.settings.dragging()) return;
    const EditResult again = edited(now, SettingsField::KvMiB, m_typedBytes->text, ground());
    if (!again.settings || again.settings->kv == now.kv) return;
    m_typedBytes->became = again.settings->kv;
    apply(*again.settings);
}

void SettingsPage::clearFaults() {
    m_fault.clear();
    for (NumberField* field : {m_layer, m_window, m_kernel})
        field->setFaulty(false);
    m_tsp->clearFaults();
    m_kv->clearFaults();
    m_decoding->clearFaults();
    refreshMessage();
}

void SettingsPage::applyTheme() {
    const viz::Theme& theme = m_context.theme;
    for (QLabel* label : m_labels)
        label->setFont(theme.font());
    for (QToolButton* button : findChildren<QToolButton*>())
        button->setFont(theme.font());
    m_pooling->setFont(theme.font());
    m_layerNote->setFont(theme.smallFont());
    m_layerNote->setColors(theme.palette().mutedText, theme.palette().mutedText);
    m_message->setFont(theme.smallFont());
    // Room for two lines, so that a note does not move what is below it.
    m_message->setMinimumHeight(2 * QFontMetrics(theme.smallFont()).lineSpacing() + 2);
    refreshMessage();
}

} // namespace fkv::app
