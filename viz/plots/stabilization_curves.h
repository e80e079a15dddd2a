// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/layer_chart.h"
#include "viz/series/stabilization.h"

namespace fkv::viz {

struct EndLabel;

/// Overlap and mass recall of every layer with the later ones at one K (VIEWS section 3,
/// Stabilization 2), y from 0 to 1. While K moves the curves are interpolated from the run's table.
class CurvesView : public LayerChart {
    Q_OBJECT
public:
    CurvesView(const ViewContext& context, QWidget* parent);
    void setQuery(const TableQuery& query); ///< K and whether the end is left out
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

protected:
    Margins margins(const QSizeF& size) const override;
    void paintPicture(const ChartCanvas& canvas) const override;

private:
    std::vector<EndLabel> endLabels(const QRectF* plot) const;

    TableQuery m_query;
    std::shared_ptr<const trace::FullPass> m_full;
    TableChoice m_choice;
    trace::StabilizationCurves m_curves;
    bool m_known = false;
};

/// Why there is no table of this run (yet).
QString missingTableText(const Shown& shown, bool withoutEnd);

} // namespace fkv::viz
