// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"

#include <QPoint>
#include <utility>
#include <vector>

namespace fkv::viz {

/// A chart with the layers along x: axis, pinned layer, and the TSP line at layer t, which can be
/// dragged where `draggable`. Hover is shared through Selection, a click pins the layer; 4 px tell
/// a click from a drag, Esc puts the old layer back.
class LayerChart : public ChartView {
    Q_OBJECT
public:
    struct Options {
        QString name;
        bool draggable = true;
    };
    LayerChart(const ViewContext& context, const Options& options, QWidget* parent);

    QRectF plot() const { return plotOf(QSizeF(size())); }
    double xOf(int layer) const { return xOf(layer, plot()); }
    /// Another chart above or below: both get the wider margins, so that layers stand under layers.
    void alignWith(const LayerChart* other);
    int layerAt(double x) const; ///< -1 outside of the plot

protected:
    struct Margins {
        double left = 0.0, right = 0.0, top = 0.0;
    };
    virtual Margins margins(const QSizeF& size) const = 0; ///< beside the axis of layers
    /// Where the TSP line stands: on layer t, whose values it reads off, or behind it.
    virtual bool tspAtEdge() const { return false; }
    QRectF plotOf(const QSizeF& size) const;
    QRectF pictureKey() const override { return plot(); }
    double xOf(int layer, const QRectF& plot) const;
    int layers() const;
    /// The layer that the readout is about: hovered anywhere, else pinned, else t.
    int readoutLayer() const;
    /// Grid lines and labels at the left, top ones first; those that would touch are left out.
    using ValueTicks = std::vector<std::pair<double, QString>>;
    void paintValueAxis(const ChartCanvas& canvas, const ValueScale& scale,
                        const ValueTicks& ticks) const;
    double labelWidth(const ValueTicks& ticks) const;

    void paintOverlay(const ChartCanvas& canvas, bool interactive) const override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    enum class Gesture { None, Pressed, PressedLine, Line };
    bool onLine(double x) const;
    void moveLine(double x);
    void cancelDrag();
    void paintLayerAxis(const ChartCanvas& canvas, const QRectF& plot) const;
    void paintTspLine(const ChartCanvas& canvas, const QRectF& plot) const;

    bool m_draggable;
    const LayerChart* m_aligned = nullptr;
    Gesture m_gesture = Gesture::None;
    QPoint m_pressAt;
};

} // namespace fkv::viz
