// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/theme.h"

#include <QDialog>

class QGridLayout;

namespace fkv::app {

/// All keys and gestures on one sheet (F1 or ?).
class KeySheet : public QDialog {
    Q_OBJECT
public:
    explicit KeySheet(viz::Theme& theme, QWidget* parent = nullptr);

private:
    struct Row {
        QString keys, meaning;
    };
    QWidget* section(const QString& title, const QList<Row>& rows);

    viz::Theme& m_theme;
};

} // namespace fkv::app
