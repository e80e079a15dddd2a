// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_panel.h"

namespace fkv::viz {

TimingPanel::TimingPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("timing"), tr("Timing"), tr("where do the milliseconds go?"),
             tr("Run a prompt to see what each layer costs.")},
            parent) {
    setBody(new QWidget(this));
}

QString TimingPanel::csv() const { return {}; }

}  // namespace fkv::viz
