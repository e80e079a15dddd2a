// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_panel.h"

namespace fkv::viz {

HeadsPanel::HeadsPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("heads"), tr("KV per head"), tr("where does each head keep, and what does that buy?"),
             tr("Run a prompt to see what every KV head keeps.")},
            parent) {
    setBody(new QWidget(this));
}

QString HeadsPanel::csv() const { return {}; }

}  // namespace fkv::viz
