// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/tokens_panel.h"

namespace fkv::viz {

TokensPanel::TokensPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("tokens"), tr("Tokens"), tr("what does the text look like to the model?"),
             tr("Open a sample or type a prompt, then press Run.")},
            parent) {
    setBody(new QWidget(this));
}

QString TokensPanel::csv() const { return {}; }

}  // namespace fkv::viz
