// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/view_options.h"

namespace fkv::viz {

ViewOptions::ViewOptions(QObject* parent) : QObject(parent) {}

void ViewOptions::setSource(Source source) {
    if (source == m_source) return;
    m_source = source;
    Q_EMIT changed();
}

void ViewOptions::setScale(Scale scale) {
    if (scale == m_scale) return;
    m_scale = scale;
    Q_EMIT changed();
}

void ViewOptions::setFateMode(FateMode mode) {
    if (mode == m_fateMode) return;
    m_fateMode = mode;
    Q_EMIT changed();
}

void ViewOptions::setStrikeAllDropped(bool on) {
    if (on == m_strikeAllDropped) return;
    m_strikeAllDropped = on;
    Q_EMIT changed();
}

}  // namespace fkv::viz
