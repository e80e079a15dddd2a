// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"

namespace fkv::viz {

class ImportancePanel : public Panel {
    Q_OBJECT
public:
    explicit ImportancePanel(const ViewContext& context, QWidget* parent = nullptr);
    QString csv() const override;
};

}  // namespace fkv::viz
