// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/state/settings_model.h"

#include <utility>

namespace fkv::viz {

SettingsModel::SettingsModel(QObject* parent) : QObject(parent) {}

void SettingsModel::beginDrag() {
    if (m_dragging) return;
    m_dragging = true;
    m_beforeDrag = m_settings;
}

void SettingsModel::endDrag() {
    if (!m_dragging) return;
    m_dragging = false;
    if (m_settings != m_beforeDrag) {
        m_undo.push_back(m_beforeDrag);
        m_redo.clear();
        Q_EMIT historyChanged();
    }
    Q_EMIT changed();
}

void SettingsModel::cancelDrag() {
    if (!m_dragging) return;
    m_dragging = false;
    m_settings = m_beforeDrag;
    Q_EMIT changed();
}

void SettingsModel::set(const trace::Settings& settings) {
    if (settings == m_settings) return;
    if (!m_dragging) {
        m_undo.push_back(m_settings);
        m_redo.clear();
    }
    m_settings = settings;
    Q_EMIT changed();
    if (!m_dragging) Q_EMIT historyChanged();
}

void SettingsModel::reset(const trace::Settings& settings) {
    m_dragging = false;
    m_undo.clear();
    m_redo.clear();
    m_settings = settings;
    Q_EMIT changed();
    Q_EMIT historyChanged();
}

void SettingsModel::undo() {
    if (m_undo.empty() || m_dragging) return;
    m_redo.push_back(std::exchange(m_settings, m_undo.back()));
    m_undo.pop_back();
    Q_EMIT changed();
    Q_EMIT historyChanged();
}

void SettingsModel::redo() {
    if (m_redo.empty() || m_dragging) return;
    m_undo.push_back(std::exchange(m_settings, m_redo.back()));
    m_redo.pop_back();
    Q_EMIT changed();
    Q_EMIT historyChanged();
}

}  // namespace fkv::viz
