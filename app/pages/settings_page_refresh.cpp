// SPDX-License-Identifier: GPL-3.0-or-later
// What the settings page shows of settings, run and fate.
#include "app/pages/layer_slider.h"
#include "app/pages/settings_page.h"
#include "engine/select/budgets.h"
#include "viz/plots/elided_label.h"
#include "viz/series/format.h"

#include <QAbstractButton>
#include <QButtonGroup>
#include <QComboBox>
#include <QToolButton>
#include <algorithm>
#include <cmath>
#include <limits>

namespace fkv::app {
namespace {

using trace::Amount;
using trace::Settings;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const QString kUnknown = QStringLiteral("–");

/// Results of other TSP layers under otherwise the same settings; others would mislead.
LayerSlider::Known knownAt(const std::vector<viz::MeasuredLayer>& measured, Settings settings,
                           int layer) {
    settings.tspLayer = layer;
    for (const viz::MeasuredLayer& m : measured) {
        if (m.settings != settings) continue;
        const std::optional<bool> good = m.expectedHolds ? m.expectedHolds : m.sameAnswer;
        if (good) return *good ? LayerSlider::Known::Holds : LayerSlider::Known::Breaks;
    }
    return LayerSlider::Known::Nothing;
}

/// Where the slider stands for an amount: the rate asked, or the share of N that the tokens are.
double sliderRate(const Amount& amount, std::int64_t tokens) {
    if (amount.unit == Amount::Unit::Rate) return amount.rate;
    return tokens > 0
               ? std::min(1.0, static_cast<double>(amount.tokens) / static_cast<double>(tokens))
               : kNaN;
}

QString shortPercent(double share) {
    const QString text = viz::formatSignificant(share * 100.0);
    // 20.0 beside a typed 20 looks like another number.
    return text.contains(QLatin1Char('.')) && text.endsWith(QStringLiteral(".0")) ? text.chopped(2)
                                                                                  : text;
}

QString mibText(std::int64_t bytes) {
    const double mib = static_cast<double>(bytes) / (1024.0 * 1024.0);
    // Three digits below 0.1 are more than the field holds.
    return mib >= 1e-3 && mib < 0.1 ? QString::number(mib, 'f', 3) : viz::formatSignificant(mib);
}

AmountEditor::Values askedValues(const Amount& amount, std::int64_t tokens) {
    AmountEditor::Values values;
    values.rate = sliderRate(amount, tokens);
    values.ceiling = kNaN;
    values.texts.fill(kUnknown);
    values.kept = amount.unit == Amount::Unit::Rate ? AmountEditor::Percent : AmountEditor::Tokens;
    if (amount.unit == Amount::Unit::Rate)
        values.texts[AmountEditor::Percent] = percentText(amount.rate);
    else
        values.texts[AmountEditor::Tokens] = viz::formatCount(amount.tokens);
    return values;
}

} // namespace

void SettingsPage::refresh() {
    const Settings& settings = m_context.settings.settings();
    m_method->button(static_cast<int>(settings.method))->setChecked(true);
    m_fastkvPart->setEnabled(settings.method == trace::Method::FastKv);
    m_undo->setEnabled(m_context.settings.canUndo());
    m_redo->setEnabled(m_context.settings.canRedo());
    const int layers = ground().model.layers;
    m_defaults->setEnabled(layers > 0 && settings != select::defaultSettings(layers));
    m_window->setShown(QString::number(settings.window));
    m_kernel->setShown(QString::number(settings.kernel));
    m_pooling->setCurrentIndex(settings.pooling == trace::Pooling::Max ? 0 : 1);
    m_decoding->show(settings);
    refreshLayer();
    refreshAmounts();
    refreshMessage();
}

void SettingsPage::refreshLayer() {
    const Settings& settings = m_context.settings.settings();
    const trace::RunPtr& run = m_context.shown.run();
    const int layers = ground().model.layers;
    std::vector<LayerSlider::Stop> stops(static_cast<std::size_t>(std::max(layers, 0)));
    for (int l = 0; l < layers; ++l) {
        LayerSlider::Stop& stop = stops[static_cast<std::size_t>(l)];
        if (run) {
            const auto& held = run->counters.checkpointLayers;
            stop.held = std::find(held.begin(), held.end(), l) != held.end();
        }
        stop.known = knownAt(m_context.shown.derived().measured, settings, l);
    }
    const bool inside = settings.tspLayer >= 0 && settings.tspLayer < layers;
    QString note = layers > 0 ? tr("0–%1").arg(layers - 1) : QString();
    if (inside) {
        const LayerSlider::Stop& stop = stops[static_cast<std::size_t>(settings.tspLayer)];
        if (stop.known == LayerSlider::Known::Holds)
            note += tr(" · ✔ holds");
        else if (stop.known == LayerSlider::Known::Breaks)
            note += tr(" · ✖ breaks");
        else if (stop.held)
            note += tr(" · checkpoint");
    }
    m_layerNote->setText(note);
    m_layerNote->setToolTip(note);
    m_layer->setShown(QString::number(settings.tspLayer));
    m_layerSlider->setEnabled(layers > 0);
    m_layerSlider->setStops(std::move(stops));
    m_layerSlider->setLayer(settings.tspLayer);
}

void SettingsPage::refreshAmounts() {
    const Settings& settings = m_context.settings.settings();
    const Ground at = ground();
    AmountEditor::Values tsp = askedValues(settings.tsp, at.tokens);
    AmountEditor::Values kv = askedValues(settings.kv, at.tokens);
    if (m_typedBytes && m_typedBytes->became == settings.kv) {
        kv.kept = AmountEditor::MiB;
        kv.texts[AmountEditor::MiB] = m_typedBytes->text.trimmed();
    }
    m_kv->field(AmountEditor::MiB).setEnabled(at.known());
    const bool valid = settings.tspLayer >= 0 && settings.tspLayer < at.model.layers;
    if (at.known() && valid && settings.method == trace::Method::FastKv) {
        const trace::Budgets budgets = select::computeBudgets(settings, at.model, at.tokens);
        const auto other = [](AmountEditor::Values& values, AmountEditor::Unit unit,
                              const QString& text) {
            if (values.kept != unit) values.texts[unit] = text;
        };
        other(tsp, AmountEditor::Percent, shortPercent(budgets.tspRate));
        other(tsp, AmountEditor::Tokens, viz::formatCount(budgets.propagated));
        other(kv, AmountEditor::Percent, shortPercent(budgets.kvRate));
        other(kv, AmountEditor::Tokens, viz::formatCount(budgets.layers.front().kept));
        other(kv, AmountEditor::MiB, mibText(budgets.kvBytes));
        kv.ceiling = budgets.tspOn ? budgets.tspRate : kNaN;
        tsp.achieved = budgets.tspOn ? viz::formatPercent(budgets.tspRate) : tr("off");
        kv.achieved = viz::formatPercent(budgets.kvRate);
        // Ties belong to a fate, which a moved slider gets in the same frame.
        const trace::FatePtr& fate = m_context.shown.fate();
        if (fate && fate->settings == settings) {
            const std::int64_t tied = tspTies(*fate);
            if (tied > 1) tsp.achieved += tr(" · %1 tied at the cut").arg(viz::formatCount(tied));
            const TiedCuts cuts = kvTies(*fate);
            if (cuts.tied > 0)
                kv.achieved += tr(" · %1/%2 cuts tied").arg(cuts.tied).arg(cuts.known);
        }
    }
    m_tsp->show(tsp);
    m_kv->show(kv);
}

void SettingsPage::refreshMessage() {
    const Settings& settings = m_context.settings.settings();
    const Ground at = ground();
    const viz::Palette& colours = m_context.theme.palette();
    QString text = m_fault;
    const bool valid = settings.tspLayer >= 0 && settings.tspLayer < at.model.layers;
    if (text.isEmpty() && at.known() && valid) {
        const QStringList notes =
            clampNotes(settings, select::computeBudgets(settings, at.model, at.tokens));
        text = notes.join(QLatin1Char(' '));
    }
    QPalette palette = m_message->palette();
    palette.setColor(QPalette::WindowText, m_fault.isEmpty() ? colours.mutedText : colours.lost);
    m_message->setPalette(palette);
    m_message->setText(text);
    m_message->setToolTip(text);
}

} // namespace fkv::app
