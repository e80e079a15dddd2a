// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"

namespace fkv::viz {

class TimingPanel : public Panel {
    Q_OBJECT
public:
    explicit TimingPanel(const ViewContext& context, QWidget* parent = nullptr);
    QString csv() const override;
};

}  // namespace fkv::viz
