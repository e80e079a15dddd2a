// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/panel.h"

#include <array>

namespace fkv::viz {

class ChartView;
class ViewStack;

/// Where do the milliseconds go? (VIEWS section 3.)
class TimingPanel : public Panel {
    Q_OBJECT
public:
    enum View { PerLayer, Timeline, Decode, Figures };
    explicit TimingPanel(const ViewContext& context, QWidget* parent = nullptr);

    ChartView* chart(View view) const { return m_charts[static_cast<std::size_t>(view)]; }
    void paintFigure(QPainter& painter, const QSize& size) override;
    QString csv() const override;

protected:
    /// Times are there without anything to look into.
    bool hasContent() const override { return context().shown.run() && context().shown.asked(); }

private:
    void setupViews();
    void setupFollowing();
    ChartView* shownChart() const { return chart(static_cast<View>(view())); }
    void follow();
    void updateNote();
    void updateReadout();

    std::array<ChartView*, 4> m_charts{};
    ViewStack* m_stack = nullptr;
};

} // namespace fkv::viz
