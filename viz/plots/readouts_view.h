// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QWidget>

namespace fkv::viz {

/// The table metric | full | FastKV | ratio with targets (VIEWS, Answers and readouts 4).
class ReadoutsView : public QWidget {
    Q_OBJECT
public:
    explicit ReadoutsView(const ViewContext& context, QWidget* parent = nullptr);

private:
    ViewContext m_context;
};

}  // namespace fkv::viz
