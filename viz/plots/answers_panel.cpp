// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/answers_panel.h"

namespace fkv::viz {

AnswersPanel::AnswersPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("answers"), tr("Answers"), tr("does the answer still hold?"),
             tr("Run a prompt to compare full context with FastKV.")},
            parent) {
    setBody(new QWidget(this));
}

QString AnswersPanel::csv() const { return {}; }

}  // namespace fkv::viz
