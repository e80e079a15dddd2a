// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/painted_slider.h"

#include "app/pages/accessible_slider.h"

#include <QAccessible>
#include <QKeyEvent>
#include <QPainter>
#include <QPainterPath>
#include <QWheelEvent>
#include <cmath>
#include <optional>

namespace fkv::app {
namespace {

constexpr int kWheelRestMs = 400; // a pause this long ends a run of wheel turns
constexpr int kWheelStep = 120;   // one notch

std::optional<SliderStep> stepOf(int key) {
    switch (key) {
    case Qt::Key_Left:
    case Qt::Key_Down:
        return SliderStep::Down;
    case Qt::Key_Right:
    case Qt::Key_Up:
        return SliderStep::Up;
    case Qt::Key_PageDown:
        return SliderStep::PageDown;
    case Qt::Key_PageUp:
        return SliderStep::PageUp;
    case Qt::Key_Home:
        return SliderStep::First;
    case Qt::Key_End:
        return SliderStep::Last;
    default:
        return std::nullopt;
    }
}

} // namespace

PaintedSlider::PaintedSlider(const viz::Theme& theme, QWidget* parent)
    : QWidget(parent), m_theme(theme) {
    installSliderAccessibility();
    setFocusPolicy(Qt::StrongFocus); // Tab and click, not the wheel
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_wheelRest.setSingleShot(true);
    m_wheelRest.setInterval(kWheelRestMs);
    connect(&m_wheelRest, &QTimer::timeout, this, &PaintedSlider::end);
    connect(&theme, &viz::Theme::changed, this, [this] {
        updateGeometry();
        update();
    });
}

PaintedSlider::~PaintedSlider() = default;

QSize PaintedSlider::sizeHint() const {
    const Heights h = heights();
    return {m_theme.scaled(232), m_theme.scaled(h.above + h.track + h.below)};
}

QSize PaintedSlider::minimumSizeHint() const {
    return {m_theme.scaled(160), sizeHint().height()};
}

double PaintedSlider::trackLeft() const {
    return m_theme.scaled(10) + 0.5;
}
double PaintedSlider::trackWidth() const {
    return std::max(1.0, std::floor(width() - 2.0 * trackLeft()));
}

double PaintedSlider::trackY() const {
    const Heights h = heights();
    return m_theme.scaled(h.above) + m_theme.scaled(h.track) / 2 + 0.5;
}

QColor PaintedSlider::ink(const QColor& color) const {
    return isEnabled() ? color : viz::faded(color, m_theme.palette().window, 0.45);
}

void PaintedSlider::paintHandle(QPainter& painter, const QColor& fill) const {
    const double position = handlePosition();
    if (position < 0.0) return;
    const viz::Palette& colours = m_theme.palette();
    const QPointF middle(xOf(position), trackY());
    const double r = handleRadius();
    painter.setRenderHint(QPainter::Antialiasing);
    if (hasFocus()) {
        painter.setPen(QPen(colours.focus, m_theme.scaled(2)));
        painter.setBrush(colours.window);
        painter.drawEllipse(middle, r + m_theme.scaled(3), r + m_theme.scaled(3));
    }
    const bool lively = (m_hovered || inGesture()) && isEnabled();
    painter.setPen(QPen(colours.window, 1.5));
    painter.setBrush(ink(fill));
    painter.drawEllipse(middle, r + (lively ? 1.0 : 0.0), r + (lively ? 1.0 : 0.0));
}

void PaintedSlider::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintScale(painter);
}

void PaintedSlider::valueChanged() {
    update();
    const Reading now = reading();
    QAccessibleValueChangeEvent change(this, now.value);
    QAccessible::updateAccessibility(&change);
}

void PaintedSlider::begin(Gesture gesture) {
    if (m_gesture == gesture) return;
    end();
    m_gesture = gesture;
    Q_EMIT gestureBegan();
}

void PaintedSlider::end() {
    if (m_gesture == Gesture::None) return;
    m_gesture = Gesture::None;
    m_wheelRest.stop();
    update();
    Q_EMIT gestureEnded();
}

void PaintedSlider::cancel() {
    m_gesture = Gesture::None;
    update();
    Q_EMIT gestureCancelled();
}

void PaintedSlider::report(bool changed) {
    if (!changed) return;
    valueChanged();
    Q_EMIT moved();
}

void PaintedSlider::asGesture(const std::function<bool()>& take) {
    begin(Gesture::Key);
    report(take());
    end();
}

bool PaintedSlider::event(QEvent* event) {
    // A key is about what the wheel did, not part of it: Ctrl+Z right after a turn undoes the turn.
    if (event->type() == QEvent::ShortcutOverride && m_gesture == Gesture::Wheel) end();
    // Esc must reach a held slider even where the window has a shortcut on it.
    if (event->type() == QEvent::ShortcutOverride && m_gesture == Gesture::Mouse &&
        static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

void PaintedSlider::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    const double x = event->position().x();
    const double handle = handlePosition();
    const bool onHandle = handle >= 0.0 && std::fabs(x - xOf(handle)) <= handleRadius() + 2.0;
    m_grab = onHandle ? x - xOf(handle) : 0.0;
    begin(Gesture::Mouse);
    update();
    if (!onHandle) report(takePosition((x - trackLeft()) / trackWidth()));
}

void PaintedSlider::mouseMoveEvent(QMouseEvent* event) {
    if (m_gesture != Gesture::Mouse) return;
    report(takePosition((event->position().x() - m_grab - trackLeft()) / trackWidth()));
}

void PaintedSlider::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && m_gesture == Gesture::Mouse) end();
}

void PaintedSlider::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && m_gesture == Gesture::Mouse) {
        cancel();
        return;
    }
    const auto step = stepOf(event->key());
    const Qt::KeyboardModifiers held = event->modifiers() & ~Qt::KeypadModifier;
    if (!step || held != Qt::NoModifier || m_gesture == Gesture::Mouse) {
        QWidget::keyPressEvent(event);
        return;
    }
    if (m_gesture == Gesture::Key && m_heldKey != event->key()) end();
    begin(Gesture::Key);
    m_heldKey = event->key();
    report(takeStep(*step));
}

void PaintedSlider::keyReleaseEvent(QKeyEvent* event) {
    if (event->key() == m_heldKey && !event->isAutoRepeat() && m_gesture == Gesture::Key) {
        end();
        return;
    }
    QWidget::keyReleaseEvent(event);
}

void PaintedSlider::wheelEvent(QWheelEvent* event) {
    if (!hasFocus() || m_gesture == Gesture::Mouse) {
        event->ignore(); // the page scrolls
        return;
    }
    event->accept();
    const QPoint delta = event->angleDelta();
    m_wheelRemainder += std::abs(delta.y()) >= std::abs(delta.x()) ? delta.y() : delta.x();
    const int notches = m_wheelRemainder / kWheelStep;
    m_wheelRemainder -= notches * kWheelStep;
    if (notches == 0) return;
    begin(Gesture::Wheel);
    m_wheelRest.start();
    bool changed = false;
    for (int i = 0; i < std::abs(notches); ++i)
        changed |= takeStep(notches > 0 ? SliderStep::Up : SliderStep::Down);
    report(changed);
}

void PaintedSlider::focusInEvent(QFocusEvent*) {
    m_wheelRemainder = 0;
    update();
}

void PaintedSlider::focusOutEvent(QFocusEvent*) {
    end();
    update();
}

void PaintedSlider::enterEvent(QEnterEvent*) {
    m_hovered = true;
    update();
}

void PaintedSlider::leaveEvent(QEvent*) {
    m_hovered = false;
    update();
}

void PaintedSlider::hideEvent(QHideEvent*) {
    end();
}

void PaintedSlider::changeEvent(QEvent* event) {
    if (event->type() == QEvent::EnabledChange && !isEnabled()) end();
    update();
}

} // namespace fkv::app
