// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_panel.h"

namespace fkv::viz {

ImportancePanel::ImportancePanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("importance"), tr("Importance"), tr("which parts of the prompt matter at each layer, and which survive?"),
             tr("Open a sample or type a prompt, then press Run.")},
            parent) {
    setBody(new QWidget(this));
}

QString ImportancePanel::csv() const { return {}; }

}  // namespace fkv::viz
