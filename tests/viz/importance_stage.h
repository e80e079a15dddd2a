// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/view_fixture.h"
#include "viz/plots/importance_layout.h"
#include "viz/plots/importance_panel.h"
#include "viz/plots/importance_view.h"

#include <QtTest>
#include <memory>

namespace fkv::testing {

inline constexpr QSize kPanel(748, 220); // at 1280 x 800

inline trace::RunPtr runOf(std::int64_t tokens, int layers) {
    return makeRun({.tokens = tokens,
                    .layers = layers,
                    .queryHeads = 8,
                    .kvHeads = 4,
                    .settings = {.tspLayer = layers / 2 - 1},
                    .tables = false});
}
inline const trace::RunPtr& deepRun() {
    static const trace::RunPtr run = runOf(20000, 32);
    return run;
}
inline const trace::RunPtr& smallRun() {
    static const trace::RunPtr run = runOf(1008, 16);
    return run;
}

/// The panel in a window, its state as the program owns it; moved settings give a fate at once.
class Stage {
public:
    explicit Stage(const trace::RunPtr& run = nullptr, const QSize& size = kPanel,
                   bool dark = false, bool presenter = false)
        : m_font(QApplication::font()) {
        f.theme.setChoice(dark ? viz::Theme::Choice::Dark : viz::Theme::Choice::Light);
        f.theme.setPresenter(presenter);
        f.theme.apply();
        panel = std::make_unique<viz::ImportancePanel>(f.context());
        QObject::connect(&f.settings, &viz::SettingsModel::changed, panel.get(), [this] {
            if (f.shown.run()) f.move(f.settings.settings());
        });
        panel->resize(size);
        panel->show();
        if (run) show(run);
    }
    ~Stage() { QApplication::setFont(m_font); }

    void show(const trace::RunPtr& run) {
        f.show(run);
        const std::int64_t needle = run->tokens() * 2 / 5;
        if (run->tokens() > 100)
            f.selection.addSpan({needle, needle + kNeedleTokens}, QStringLiteral("fact"));
        settle();
    }
    static void settle() {
        QCoreApplication::processEvents();
        QCoreApplication::processEvents();
    }
    viz::ImportanceView& map() const { return *panel->map(); }
    viz::ImportanceImage& image() const { return map().image(); }
    viz::ImportanceLayout layout() const { return map().layoutNow(); }
    /// Middle of a cell of a layer, in px of the map.
    QPoint at(int layer, int cell) const {
        const viz::PixelRange px = map().axis().pixelsOf(cell);
        return {layout().plotLeft + (px.x0 + px.x1 - 1) / 2, layout().row(layer).center().y()};
    }
    QPoint lineMiddle() const { return layout().line.center(); }
    QPoint lineUnder(int layer) const {
        // Rows above the line keep their place, wherever it moves.
        return {lineMiddle().x(), layout().rowsView.top() + (layer + 1) * layout().rowHeight + 1};
    }
    void setTsp(int layer, double rate) {
        trace::Settings s = f.settings.settings();
        s.tspLayer = layer;
        s.tsp = trace::Amount::ofRate(rate);
        f.settings.set(s);
        settle();
    }
    /// QTest::mouseMove() moves the pointer of the platform instead, which may tell any window.
    void moveTo(const QPoint& point, Qt::MouseButtons buttons = Qt::NoButton,
                Qt::KeyboardModifiers modifiers = Qt::NoModifier) const {
        QMouseEvent move(QEvent::MouseMove, point, map().mapToGlobal(point), Qt::NoButton, buttons,
                         modifiers);
        QCoreApplication::sendEvent(&map(), &move);
    }
    void dragTo(const QPoint& point, Qt::KeyboardModifiers modifiers = Qt::NoModifier) const {
        moveTo(point, Qt::LeftButton, modifiers);
    }
    void hoverAt(const QPoint& point) const {
        moveTo(point);
        settle();
    }

    ViewFixture f;
    std::unique_ptr<viz::ImportancePanel> panel;

private:
    QFont m_font;
};

inline QImage grab(QWidget& widget) {
    return widget.grab().toImage();
}
/// Colour at a logical point of a grabbed widget, whatever its device ratio.
inline QColor pixel(const QImage& image, const QPoint& point) {
    const double ratio = image.devicePixelRatio();
    return image.pixelColor(static_cast<int>((point.x() + 0.5) * ratio),
                            static_cast<int>((point.y() + 0.5) * ratio));
}

} // namespace fkv::testing
