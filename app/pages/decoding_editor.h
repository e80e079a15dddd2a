// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/number_field.h"
#include "app/pages/settings_edit.h"

#include <QLabel>
#include <array>
#include <vector>

class QToolButton;

namespace fkv::viz {
class ElidedLabel;
}

namespace fkv::app {

/// How answers are decoded: their length, and below it, folded away until it is asked for, how
/// tokens are drawn. While it is folded its heading says so in words.
class DecodingEditor : public QWidget {
    Q_OBJECT
public:
    explicit DecodingEditor(const viz::Theme& theme, QWidget* parent = nullptr);

    void show(const trace::Settings& settings);
    NumberField& field(SettingsField which); ///< Generate to Seed
    void clearFaults();
    bool open() const;
    void setOpen(bool open);
    /// As wide folded as unfolded, so that unfolding never cuts anything.
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void typed(fkv::app::SettingsField which, const QString& text);
    void stepped(fkv::app::SettingsField which, int by);
    void reverted();

private:
    NumberField* addField(SettingsField which, int digits, const QString& name, const QString& tip);
    QLabel* addLabel(const QString& text);
    void setupHeading();
    void setupSampling();
    void applyTheme();

    const viz::Theme& m_theme;
    QToolButton* m_fold = nullptr;
    viz::ElidedLabel* m_summary = nullptr;
    QWidget* m_sampling = nullptr;
    struct Field {
        SettingsField which;
        NumberField* field;
        QString tip;
    };
    std::vector<Field> m_fields;
    std::vector<QLabel*> m_labels;
};

} // namespace fkv::app
