// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_panel.h"

namespace fkv::viz {

StabilizationPanel::StabilizationPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("stabilization"), tr("Stabilization"), tr("when do later layers agree with this one, and what if TSP cut here?"),
             tr("Run a prompt to see when importance settles.")},
            parent) {
    setBody(new QWidget(this));
}

QString StabilizationPanel::csv() const { return {}; }

}  // namespace fkv::viz
