// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/layer_slider.h"
#include "app/pages/settings_page.h"
#include "app/window/main_window.h"
#include "tests/app/engine_fixture.h"
#include "tests/support/view_fixture.h"

#include <QApplication>
#include <QSettings>

namespace fkv::testing {

/// The real window with everything behind it, not yet shown. Remembers nothing.
class WindowFixture {
public:
    WindowFixture() : m_window(std::make_unique<app::MainWindow>(m_workspace)) {}

    app::MainWindow& window() { return *m_window; }
    app::Workspace& workspace() { return m_workspace; }
    app::Controller& controller() { return m_workspace.controller; }
    viz::Shown& shown() { return m_workspace.shown; }
    viz::Selection& selection() { return m_workspace.selection; }
    const trace::Settings& settings() { return m_workspace.settings.settings(); }
    app::SettingsPage& settingsPage() { return *m_window->findChild<app::SettingsPage*>(); }
    viz::Panel& panel(const char* name) { return *m_window->board().panel(QLatin1String(name)); }

    bool show() {
        m_window->show();
        m_window->activateWindow();
        return QTest::qWaitForWindowExposed(m_window.get());
    }
    /// Starts as the program does without arguments, and waits for the finished analysis.
    bool start() {
        m_window->start({});
        return settle(controller()) && shown().phase() == viz::Shown::Phase::Done;
    }
    void picture(const char* name) {
        QApplication::processEvents(); // fonts and layouts follow the theme by events
        savePicture(*m_window, QLatin1String(name));
    }

private:
    app::Workspace m_workspace;
    std::unique_ptr<app::MainWindow> m_window; // goes first
};

/// A move with the left button down; QTest::mouseMove() carries no buttons.
inline void dragTo(QWidget& widget, const QPoint& at) {
    QMouseEvent move(QEvent::MouseMove, at, widget.mapToGlobal(at), Qt::NoButton, Qt::LeftButton,
                     {});
    QApplication::sendEvent(&widget, &move);
}

/// Where a stop of the layer slider lies.
inline QPoint stopAt(const app::LayerSlider& slider, int layer) {
    const auto reading = slider.reading();
    const double share = (layer - reading.least) / (reading.most - reading.least);
    // The track leaves about the same room at both ends: far less than half a stop off.
    constexpr double inset = 10.0;
    return {static_cast<int>(inset + share * (slider.width() - 2 * inset)), slider.height() / 2};
}

/// A key to whatever has the focus.
inline void press(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) {
    QTest::keyClick(QApplication::focusWidget(), key, modifiers);
}

} // namespace fkv::testing
