// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/log_slider.h"
#include "app/pages/number_field.h"

#include <QLabel>
#include <array>

namespace fkv::viz {
class ElidedLabel;
}

namespace fkv::app {

/// A budget: title and what is achieved, a log slider, and linked fields % | tokens, for KV also
/// MiB. Shows what it is told and passes on what the user does; decides nothing.
class AmountEditor : public QWidget {
    Q_OBJECT
public:
    enum Unit { Percent, Tokens, MiB };
    AmountEditor(LogSlider::Role role, const QString& title, const viz::Theme& theme,
                 QWidget* parent);

    struct Values {
        double rate = 0.0;            ///< of the slider; NaN: unknown
        double ceiling = 1.0;         ///< LogSlider::setCeiling()
        std::array<QString, 3> texts; ///< of the fields, by Unit
        Unit kept = Percent;
        QString achieved;
    };
    void show(const Values& values);
    LogSlider& slider() { return *m_slider; }
    NumberField& field(Unit unit) { return *m_fields[unit]; }
    QString achieved() const;
    void clearFaults();

Q_SIGNALS:
    void typed(fkv::app::AmountEditor::Unit unit, const QString& text);
    void stepped(fkv::app::AmountEditor::Unit unit, int by);
    void reverted();

private:
    void setupFields(LogSlider::Role role, const QString& title);
    void applyTheme();

    const viz::Theme& m_theme;
    QLabel* m_title;
    viz::ElidedLabel* m_achieved;
    LogSlider* m_slider;
    std::array<NumberField*, 3> m_fields{}; ///< MiB is null for TSP
};

} // namespace fkv::app
