// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/theme.h"

#include <QDialog>

class QVBoxLayout;

namespace fkv::app {

struct ShortcutGroup;

/// All keys and mouse gestures, from shortcutTable().
class ShortcutsDialog : public QDialog {
    Q_OBJECT
public:
    explicit ShortcutsDialog(const viz::Theme& theme, QWidget* parent = nullptr);

private:
    void addGroup(QVBoxLayout* column, const ShortcutGroup& group);
    const viz::Theme& m_theme;
};

} // namespace fkv::app
