// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QToolButton;

namespace fkv::viz {

/// The small bar at chosen tokens: Track · Copy text · Copy ids · Zoom to. Two rows where one would
/// not fit.
class ChoiceBar : public QFrame {
    Q_OBJECT
public:
    explicit ChoiceBar(QWidget* parent);
    /// Shows the bar near a point of the parent, whole and beside `keepFree` where there is room.
    void showNear(const QPoint& point, const QRect& keepFree);

    /// Off when there is no number left for one more span.
    void setCanTrack(bool on);

Q_SIGNALS:
    void track();
    void copyText();
    void copyIds();
    void zoomTo();

private:
    void arrange(int columns);

    QList<QToolButton*> m_buttons;
};

} // namespace fkv::viz
