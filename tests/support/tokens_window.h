// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/view_fixture.h"
#include "viz/text/choice_bar.h"
#include "viz/text/find_bar.h"
#include "viz/text/tokens_panel.h"
#include "viz/text/tokens_view.h"

#include <QLineEdit>
#include <QScrollBar>
#include <QToolButton>
#include <QtTest>

namespace fkv::testing {

inline const SyntheticSpec kTokensSpec{.tokens = 1447};

/// A fixture with the panel in a window of its own, as wide as the dock is.
struct TokensWindow {
    explicit TokensWindow(int width = 280, int height = 640) : f(kTokensSpec), panel(f.context()) {
        panel.resize(width, height);
        panel.show();
        (void)QTest::qWaitForWindowExposed(&panel);
    }
    ~TokensWindow() {
        // Font and palette of the application outlive a test that failed.
        f.theme.setPresenter(false);
        f.theme.setChoice(viz::Theme::Choice::Light);
    }
    viz::TokensView& view() { return panel.view(); }
    QWidget* page() { return view().viewport(); }
    /// Middle of a token's box, in the viewport.
    QPoint at(std::int64_t token) {
        return view().page().rectOf(token).center() -
               QPoint(0, view().verticalScrollBar()->value());
    }
    void click(std::int64_t token, Qt::KeyboardModifiers modifiers = {}) {
        QTest::mouseClick(page(), Qt::LeftButton, modifiers, at(token));
    }
    void drag(std::int64_t from, std::int64_t to) {
        QTest::mousePress(page(), Qt::LeftButton, {}, at(from));
        QTest::mouseMove(page(), (at(from) + at(to)) / 2);
        QTest::mouseMove(page(), at(to));
        QTest::mouseRelease(page(), Qt::LeftButton, {}, at(to));
    }
    void press(int key, Qt::KeyboardModifiers modifiers = {}) {
        QTest::keyClick(&view(), static_cast<Qt::Key>(key), modifiers);
    }
    QToolButton* barButton(const QString& text) {
        for (auto* button : panel.findChild<viz::ChoiceBar*>()->findChildren<QToolButton*>())
            if (button->text() == text) return button;
        return nullptr;
    }
    QLineEdit* needle() { return panel.findBar().findChild<QLineEdit*>(); }

    ViewFixture f;
    viz::TokensPanel panel;
};

} // namespace fkv::testing
