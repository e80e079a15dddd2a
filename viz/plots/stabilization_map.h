// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/chart_view.h"
#include "viz/series/stabilization.h"

#include <QImage>
#include <QPoint>
#include <vector>

namespace fkv::viz {

/// Layer x layer (VIEWS section 3, Stabilization 4): x the layer that decides, y a later layer,
/// square cells, colour from 0 to 1 always. Overlap and mass recall stand side by side where both
/// fit.
class LayerMapView : public ChartView {
    Q_OBJECT
public:
    enum class Measure { Both, Overlap, Recall };

    LayerMapView(const ViewContext& context, QWidget* parent);
    void setQuery(const TableQuery& query) { m_query = query; }
    Measure measure() const { return m_measure; }
    void setMeasure(Measure measure);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

    /// Cells of a map in px of the widget; the maps that are shown, left to right.
    struct Map {
        bool recall = false;
        QRect cells;
        int cell = 1; ///< px of a side
    };
    std::vector<Map> maps() const { return mapsOf(QSizeF(size())); }

protected:
    void paintPicture(const ChartCanvas& canvas) const override;
    void paintOverlay(const ChartCanvas& canvas, bool interactive) const override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    struct Cell {
        int decides = -1;
        int later = -1;
        bool operator==(const Cell&) const = default;
    };
    std::vector<Map> mapsOf(const QSizeF& size) const;
    QRectF legendOf(const QSizeF& size) const;
    Cell cellAt(const QPoint& point) const;
    QImage image(bool recall) const;
    void paintLegend(const ChartCanvas& canvas) const;
    void paintAxes(const ChartCanvas& canvas, const Map& map) const;
    float valueAt(bool recall, const Cell& cell) const;

    TableQuery m_query;
    Measure m_measure = Measure::Both;
    std::shared_ptr<const trace::FullPass> m_full;
    TableChoice m_choice;
    bool m_known = false;
    int m_layers = 0;
    std::vector<float> m_overlap, m_recall; ///< [L, L]
    Cell m_hover;
    QPoint m_pressAt;
};

} // namespace fkv::viz
