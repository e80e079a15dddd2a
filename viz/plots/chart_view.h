// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QPixmap>
#include <QRectF>
#include <QString>
#include <QStringList>
#include <QWidget>
#include <vector>

namespace fkv::viz {

/// The words of one picture. They never overlap and never leave it: a text that would is left out,
/// one that is wider than its box is cut with an ellipsis. What was placed is remembered, to be
/// tested.
class ChartTexts {
public:
    struct Placed {
        QString text;
        QRectF box; ///< of the ink, in px of the picture
        bool cut = false;
    };
    explicit ChartTexts(const QRectF& area) : m_area(area) {}
    /// Draws `text` in `box` with the painter's font and pen; false when there was no room.
    bool place(QPainter& painter, const QRectF& box, Qt::Alignment alignment, const QString& text);
    /// Keeps later texts out of `box`.
    void reserve(const QRectF& box) { m_reserved.push_back(box); }
    const std::vector<Placed>& placed() const { return m_placed; }

private:
    QRectF m_area;
    std::vector<QRectF> m_reserved;
    std::vector<Placed> m_placed;
};

/// What a picture is painted on: `size` logical px, colours and fonts of the theme.
struct ChartCanvas {
    QPainter& painter;
    QSizeF size;
    const Palette& colours;
    QFont font; ///< of axis labels and notes
    ChartTexts& texts;
    QFontMetricsF metrics() const { return QFontMetricsF(font); }
};

/// One view of a panel, painted by itself: a picture that is kept until what it shows changes, and
/// over it what follows the mouse and the sliders. Subclasses say both, and read out and write out
/// their numbers. Colour, type and device ratio are followed here.
class ChartView : public QWidget {
    Q_OBJECT
public:
    ChartView(const ViewContext& context, const QString& name, QWidget* parent);

    /// Something shown may have changed: look, and repaint only if it did. Called by the panel for
    /// views in sight, and when a view comes into sight.
    virtual void follow() = 0;
    virtual QString readout() const = 0;
    /// The readout in fewer and fewer words.
    virtual QStringList shorterReadouts() const { return {}; }
    virtual QString csv() const = 0;
    /// What to do while there is nothing to draw; empty when there is something.
    virtual QString emptyText() const { return {}; }
    /// The picture and its marks, without hover.
    void paintFigure(QPainter& painter, const QSize& size) const;

    std::vector<ChartTexts::Placed> placedTexts() const; ///< at the present size
    int picturesMade() const { return m_made; }          ///< how often the kept picture was painted

    QSize minimumSizeHint() const override { return {80, 24}; }

Q_SIGNALS:
    void readoutChanged();

protected:
    const ViewContext& context() const { return m_context; }
    const Palette& colours() const { return m_context.theme.palette(); }
    /// Where things stand in the picture; another place makes it out of date.
    virtual QRectF pictureKey() const { return {}; }
    virtual void paintPicture(const ChartCanvas& canvas) const = 0;
    /// Over the picture, at every repaint; `interactive` is false in a figure: no hover then.
    virtual void paintOverlay(const ChartCanvas&, bool /*interactive*/) const {}
    /// What rests under the pointer, said when one waits there; empty: nothing.
    virtual QString tipAt(const QPointF&) const { return {}; }
    void invalidate(); ///< the picture is out of date
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void paintEmpty(const ChartCanvas& canvas) const;

    ViewContext m_context;
    QPixmap m_picture;
    QRectF m_pictureKey;
    bool m_stale = true;
    int m_made = 0;
};

/// Writes `text` in lines of at most the width of `box`, from its top; false, and nothing written,
/// when it would take more than its height.
bool paintWrapped(const ChartCanvas& canvas, const QRectF& box, const QString& text);

/// Values to px: `atBottom` and `atTop` are the ends, in either order, on a linear or a log scale.
/// Values beyond are clamped to the ends; NaN is the caller's to leave out.
struct ValueScale {
    double atBottom = 0.0;
    double atTop = 1.0;
    bool log = false;
    double y(double value, const QRectF& plot) const;
    double valueAt(double y, const QRectF& plot) const;
};

/// Marks that differ by shape, not by colour alone.
enum class ChartMark { Filled, Hollow, Cross };
struct ChartMarkStyle {
    QColor ink, background;
    double radius = 3.0;
};
void paintMark(QPainter& painter, ChartMark mark, const QPointF& at, const ChartMarkStyle& style);
/// A bar that is measured (solid) or estimated (hatched, never solid).
struct ChartBarStyle {
    QColor ink, background;
    bool hatched = false;
};
void paintBar(QPainter& painter, const QRectF& bar, const ChartBarStyle& style);
/// A line through points, broken where a value is not finite.
void paintCurve(QPainter& painter, const std::vector<QPointF>& points, const QPen& pen);

} // namespace fkv::viz
