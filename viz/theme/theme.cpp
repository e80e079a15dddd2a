// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/theme/theme.h"

#include "viz/theme/style.h"

#include <QApplication>
#include <QPalette>
#include <QStyle>

namespace fkv::viz {
namespace {

constexpr double kPresenterScale = 1.5;

QPalette qtPalette(const Palette& p) {
    QPalette q;
    q.setColor(QPalette::Window, p.window);
    q.setColor(QPalette::WindowText, p.text);
    q.setColor(QPalette::Base, p.base);
    q.setColor(QPalette::AlternateBase, p.window);
    q.setColor(QPalette::Text, p.text);
    q.setColor(QPalette::PlaceholderText, p.mutedText);
    q.setColor(QPalette::Button, faded(p.text, p.window, p.dark ? 0.10 : 0.04));
    q.setColor(QPalette::ButtonText, p.text);
    q.setColor(QPalette::BrightText, p.lost);
    q.setColor(QPalette::Highlight, p.focus);
    q.setColor(QPalette::HighlightedText, inkOn(p.focus));
    q.setColor(QPalette::Link, p.fastkv);
    q.setColor(QPalette::ToolTipBase, p.base);
    q.setColor(QPalette::ToolTipText, p.text);
    q.setColor(QPalette::Light, faded(p.text, p.window, 0.02));
    q.setColor(QPalette::Midlight, p.gridLine);
    q.setColor(QPalette::Mid, p.border);
    q.setColor(QPalette::Dark, faded(p.text, p.window, 0.35));
    q.setColor(QPalette::Shadow, faded(p.text, p.window, 0.6));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        q.setColor(QPalette::Disabled, role, faded(p.text, p.window, 0.45));
    return q;
}

}  // namespace

Theme::Theme(QObject* parent) : QObject(parent), m_systemFont(QApplication::font()) {
    const QPalette system = QApplication::palette();
    m_systemDark = system.color(QPalette::Window).lightness() < system.color(QPalette::WindowText).lightness();
}

void Theme::setChoice(Choice choice) {
    if (choice == m_choice) return;
    m_choice = choice;
    apply();
}

void Theme::setPresenter(bool on) {
    if (on == m_presenter) return;
    m_presenter = on;
    apply();
}

const Palette& Theme::palette() const {
    const bool dark = m_choice == Choice::System ? m_systemDark : m_choice == Choice::Dark;
    return dark ? darkPalette() : lightPalette();
}

QFont Theme::font() const {
    QFont f = m_systemFont;
    if (m_presenter) f.setPointSizeF(m_systemFont.pointSizeF() * kPresenterScale);
    return f;
}

QFont Theme::smallFont() const {
    QFont f = font();
    f.setPointSizeF(f.pointSizeF() * 0.88);
    return f;
}

QFont Theme::numberFont() const {
    // Default digits of the system fonts we meet are tabular; a monospaced face would cost width.
    return font();
}

int Theme::scaled(int px) const { return m_presenter ? static_cast<int>(px * kPresenterScale + 0.5) : px; }

void Theme::apply() {
    if (!qobject_cast<Style*>(QApplication::style())) QApplication::setStyle(new Style);
    QApplication::setPalette(qtPalette(palette()));
    QApplication::setFont(font());
    Q_EMIT changed();
}

}  // namespace fkv::viz
