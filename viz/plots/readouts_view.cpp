// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/readouts_view.h"

namespace fkv::viz {

ReadoutsView::ReadoutsView(const ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {}

}  // namespace fkv::viz
