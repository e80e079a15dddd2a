// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/amount_editor.h"
#include "app/pages/decoding_editor.h"
#include "app/pages/settings_edit.h"
#include "viz/state/view_context.h"

#include <QWidget>
#include <optional>

class QBoxLayout;
class QButtonGroup;
class QComboBox;
class QToolButton;

namespace fkv::viz {
class ElidedLabel;
}

namespace fkv::app {

class LayerSlider;

/// The settings of the method (VIEWS section 4). Follows Shown (the run's model and prompt) and
/// SettingsModel, and changes the latter: every gesture is one step of undo. Whatever is out of
/// range is said in one line and never applied.
class SettingsPage : public QWidget {
    Q_OBJECT
public:
    explicit SettingsPage(const viz::ViewContext& context, QWidget* parent = nullptr);

    /// The model that is loaded, before there is a run of it. A run on show knows better.
    void setModel(const trace::ModelInfo& model);
    /// What was clamped, or what is wrong with a typed value; empty when all is as asked.
    QString message() const;

    // The controls, for tests and for tab order.
    LayerSlider& layerSlider() { return *m_layerSlider; }
    AmountEditor& tsp() { return *m_tsp; }
    AmountEditor& kv() { return *m_kv; }
    DecodingEditor& decoding() { return *m_decoding; }

    QSize minimumSizeHint() const override;

private:
    void setupMethod();
    void setupLayer();
    void setupAmounts();
    void setupScoring();
    void setupDecoding();
    void setupMessage();
    void setupFollowing();
    NumberField* addField(QBoxLayout* line, SettingsField field, int digits);
    void follow(PaintedSlider* slider, std::function<void(trace::Settings&)> take);
    void connectAmount(AmountEditor* editor, bool tsp);

    Ground ground() const;
    void apply(const trace::Settings& settings);
    void commit(SettingsField field, NumberField* source, const QString& text);
    void step(SettingsField field, int by);
    void stepAmount(SettingsField field, int by);
    void keepMiB();

    void refresh(); ///< all of it, from settings, run and fate
    void refreshLayer();
    void refreshAmounts();
    void refreshMessage();
    void clearFaults();
    void applyTheme();

    viz::ViewContext m_context;
    trace::ModelInfo m_model; ///< of setModel()
    QString m_fault;
    /// Bytes typed as MiB and the tokens they became: MiB is what is kept while the setting is
    /// still so.
    struct TypedBytes {
        QString text;
        trace::Amount became;
    };
    std::optional<TypedBytes> m_typedBytes;

    QButtonGroup* m_method = nullptr;
    QToolButton *m_undo = nullptr, *m_redo = nullptr, *m_defaults = nullptr;
    NumberField *m_layer = nullptr, *m_window = nullptr, *m_kernel = nullptr;
    viz::ElidedLabel* m_layerNote = nullptr;
    LayerSlider* m_layerSlider = nullptr;
    AmountEditor *m_tsp = nullptr, *m_kv = nullptr;
    QComboBox* m_pooling = nullptr;
    DecodingEditor* m_decoding = nullptr;
    QLabel* m_message = nullptr;
    QWidget* m_fastkvPart = nullptr; ///< what Full does not use
    std::vector<QLabel*> m_labels;
};

} // namespace fkv::app
