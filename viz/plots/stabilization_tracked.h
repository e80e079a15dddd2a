// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/layer_chart.h"
#include "viz/series/tracked_span.h"

#include <optional>

namespace fkv::viz {

struct EndLabel;

/// Rank of the tracked spans and pins at every layer of the full pass, best on top (VIEWS section
/// 3, Stabilization 1): band from best to worst token, line through the medians, marks that say
/// whether all, some or none of the tokens would pass if TSP cut there.
class TrackedView : public LayerChart {
    Q_OBJECT
public:
    TrackedView(const ViewContext& context, QWidget* parent);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

protected:
    Margins margins(const QSizeF& size) const override;
    void paintPicture(const ChartCanvas& canvas) const override;

private:
    struct Item {
        Mark mark;
        QString name;
        TrackedSpan span;
        std::vector<std::int64_t> passing; ///< [L]
        ChartMark markAt(std::size_t layer) const;
    };
    ValueScale scale() const;
    ValueTicks ticks() const;
    std::vector<EndLabel> endLabels(const QRectF* plot) const;
    void paintItem(const ChartCanvas& canvas, const QRectF& plot, const Item& item) const;
    double cutShare() const;
    QPen cutPen() const;
    void paintCut(const ChartCanvas& canvas, const QRectF& plot) const;
    QString describe(const Item& item, std::size_t layer) const;

    std::shared_ptr<const trace::FullPass> m_full;
    std::vector<Mark> m_marks;
    std::int64_t m_scored = 0;
    std::int64_t m_cut = -1;
    std::vector<Item> m_items;
};

} // namespace fkv::viz
