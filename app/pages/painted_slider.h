// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/log_scale.h"
#include "viz/theme/theme.h"

#include <QTimer>
#include <QWidget>
#include <functional>

namespace fkv::app {

/// The manner of the program's own sliders; what a value is and how it looks is the subclass's.
/// Mouse: press and drag, a press beside the handle moves it there. Keys: arrows, PageUp, PageDown,
/// Home, End; Esc while the mouse holds it restores. The wheel counts only with the focus, so that
/// scrolling past never changes a setting. All of it comes as gestures, each one step of undo: a
/// drag, a held key, a run of wheel turns.
class PaintedSlider : public QWidget {
    Q_OBJECT
public:
    PaintedSlider(const viz::Theme& theme, QWidget* parent);
    ~PaintedSlider() override;

    bool inGesture() const { return m_gesture != Gesture::None; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

    /// Where the track is, in logical px: x of a share of it, and its height.
    double xAt(double position) const { return xOf(position); }
    double trackMiddle() const { return trackY(); }

    /// The value for those who cannot see it.
    struct Reading {
        double value = 0.0, least = 0.0, most = 1.0, step = 1.0;
        QString text; ///< "20 %", "layer 7 of 16, checkpoint held"
    };
    virtual Reading reading() const = 0;
    /// Sets the value as one gesture, for assistive tools.
    virtual void setReading(double value) = 0;

Q_SIGNALS:
    void gestureBegan();
    void moved(); ///< the user changed the value
    void gestureEnded();
    void gestureCancelled(); ///< whoever owns the value puts the old one back

protected:
    /// Height of what is drawn above and below the track, in normal type.
    struct Heights {
        int above = 0, track = 16, below = 14;
    };
    virtual Heights heights() const = 0;
    /// Share of the track where the handle lies; negative: no handle.
    virtual double handlePosition() const = 0;
    /// Takes the value at a share of the track, not clamped. True when it changed.
    virtual bool takePosition(double position) = 0;
    virtual bool takeStep(SliderStep step) = 0;
    virtual void paintScale(QPainter& painter) const = 0;

    const viz::Theme& theme() const { return m_theme; }
    QFont labelFont() const { return m_theme.smallFont(); }
    /// From the middle of the first stop to that of the last, in logical px.
    double trackLeft() const;
    double trackWidth() const;
    double xOf(double position) const { return trackLeft() + position * trackWidth(); }
    double trackY() const;
    double handleRadius() const { return m_theme.scaled(6); }
    QColor ink(const QColor& color) const; ///< faded while the slider is disabled
    void paintHandle(QPainter& painter, const QColor& fill) const;
    /// Says a changed value to assistive tools and repaints.
    void valueChanged();
    /// Takes a value as a gesture of its own.
    void asGesture(const std::function<bool()>& take);

    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    enum class Gesture { None, Mouse, Key, Wheel };
    void begin(Gesture gesture);
    void end();
    void cancel();
    void report(bool changed);

    const viz::Theme& m_theme;
    Gesture m_gesture = Gesture::None;
    int m_heldKey = 0;
    double m_grab = 0.0;      ///< px from the handle's middle to where it was taken
    int m_wheelRemainder = 0; ///< of a turn, in eighths of a degree
    QTimer m_wheelRest;
    bool m_hovered = false;
};

} // namespace fkv::app
