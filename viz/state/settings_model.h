// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/settings.h"

#include <QObject>
#include <vector>

namespace fkv::viz {

/// The settings under the controls, with undo and redo (one step a drag). Whoever moves a control or
/// the TSP line changes them here; whoever runs the engine follows.
class SettingsModel : public QObject {
    Q_OBJECT
public:
    explicit SettingsModel(QObject* parent = nullptr);

    const trace::Settings& settings() const { return m_settings; }
    /// While a drag is on, changes are previews and belong to one step.
    bool dragging() const { return m_dragging; }
    void beginDrag();
    void endDrag();      ///< emits changed() once more, so that the exact run can start
    void cancelDrag();   ///< back to the value before the drag (Esc)
    void set(const trace::Settings& settings);
    /// Replaces settings and history: another prompt or model.
    void reset(const trace::Settings& settings);

    bool canUndo() const { return !m_undo.empty(); }
    bool canRedo() const { return !m_redo.empty(); }
    void undo();
    void redo();

Q_SIGNALS:
    void changed();          ///< settings() or dragging() changed
    void historyChanged();

private:
    trace::Settings m_settings;
    trace::Settings m_beforeDrag;
    bool m_dragging = false;
    std::vector<trace::Settings> m_undo, m_redo;
};

}  // namespace fkv::viz
