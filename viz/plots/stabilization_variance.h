// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/layer_chart.h"

#include <vector>

namespace fkv::viz {

/// ASL's relative rank variance by layer with its tau and least layer (SPEC section 7): a reference
/// of another method, labelled as such, never a suggestion of ours.
class RankVarianceView : public LayerChart {
    Q_OBJECT
public:
    RankVarianceView(const ViewContext& context, QWidget* parent);
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;

protected:
    Margins margins(const QSizeF& size) const override;
    void paintPicture(const ChartCanvas& canvas) const override;

private:
    ValueScale scale() const;
    ValueTicks ticks() const;
    void paintReference(const ChartCanvas& canvas, const QRectF& plot) const;

    std::vector<double> m_variance; ///< [L], NaN where undefined
    int m_layers = 0;
};

} // namespace fkv::viz
