// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/layer_chart.h"
#include "viz/series/stabilization.h"

#include <optional>

namespace fkv::viz {

/// What TSP at each layer really did (VIEWS section 3, Stabilization 3 and 5): KL on a log scale
/// and whether the answer stayed, a dot only where that rerun was made. Results of other settings
/// are dimmed.
class MeasuredView : public LayerChart {
    Q_OBJECT
public:
    MeasuredView(const ViewContext& context, QWidget* parent);
    double klLimit() const { return m_limit; }
    void setKlLimit(double limit); ///< of the suggestion, in nats
    void follow() override;
    QString readout() const override;
    QStringList shorterReadouts() const override;
    QString csv() const override;
    QString emptyText() const override;
    /// "earliest tried layer that keeps the answer ..."; empty without measured layers.
    QString evidence() const;
    QString suggestionText() const;

protected:
    Margins margins(const QSizeF& size) const override;
    void paintPicture(const ChartCanvas& canvas) const override;

private:
    bool pointed() const;                  ///< the readout is about one layer
    const MeasuredDot* readoutDot() const; ///< null where it was not tried
    void paintVerdicts(const ChartCanvas& canvas, const QRectF& plot) const;
    void paintLimit(const ChartCanvas& canvas, const QRectF& plot) const;
    void paintDots(const ChartCanvas& canvas, const QRectF& plot) const;

    double m_limit = 0.05;
    int m_layers = 0;
    std::vector<MeasuredLayer> m_measured;
    std::vector<MeasuredDot> m_dots;
    std::optional<LayerSuggestion> m_suggestion;
};

} // namespace fkv::viz
