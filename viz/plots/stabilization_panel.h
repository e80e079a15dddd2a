// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"

#include <array>
#include <cstdint>
#include <memory>

namespace fkv::viz {

class ChartView;
class CurvesView;
class LayerMapView;
class MeasuredView;
class StabilizationControls;
class ViewStack;

/// When do later layers agree with this one, and what if TSP cut here? (VIEWS section 3.) Five
/// views, of which the first shows itself once a prompt as soon as a span is tracked, unless the
/// user chose another.
class StabilizationPanel : public Panel {
    Q_OBJECT
public:
    enum View { Tracked, Curves, Measured, RankVariance, LayerByLayer };
    explicit StabilizationPanel(const ViewContext& context, QWidget* parent = nullptr);

    /// K of the curves now, 0 while nothing is scored: what exact tables are wanted for (Derived).
    std::int64_t topK() const;
    bool withoutEnd() const;
    ChartView* chart(View view) const { return m_charts[static_cast<std::size_t>(view)]; }

    void paintFigure(QPainter& painter, const QSize& size) override;
    QString csv() const override;

Q_SIGNALS:
    void topKChanged(); ///< topK() or withoutEnd(): by the user, a slider, or another run

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void setupViews();
    void setupControls();
    void setupFollowing();
    void presentView();
    void adaptHeader();
    void follow();
    void followQuery();
    void updateReadout();
    void chooseView();

    std::array<ChartView*, 5> m_charts{};
    CurvesView* m_curves = nullptr;
    MeasuredView* m_measured = nullptr;
    LayerMapView* m_map = nullptr;
    ViewStack* m_stack = nullptr;
    StabilizationControls* m_controls = nullptr;
    std::shared_ptr<const trace::Prompt> m_prompt;
    std::int64_t m_topK = -1;
    bool m_userChose = false; ///< a view, for this prompt
    bool m_switched = false;  ///< to Tracked, for this prompt
    bool m_choosing = false;
};

} // namespace fkv::viz
