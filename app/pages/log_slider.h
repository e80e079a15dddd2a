// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/painted_slider.h"

#include <optional>

namespace fkv::app {

/// A rate on the log scale of log_scale.h, ticks at 1 2 5 10 20 50 %, "off" at the right end. Holds
/// any rate exactly as it was set; only the pointer and keys choose round ones.
class LogSlider : public PaintedSlider {
    Q_OBJECT
public:
    enum class Role { TspRate, KvBudget }; ///< picks the colour
    LogSlider(Role role, const viz::Theme& theme, QWidget* parent);

    double rate() const { return m_rate; }
    /// A rate in (0, 1], or NaN when nothing is known: no handle then. Emits nothing.
    void setRate(double rate);
    /// Marks a rate on the track beyond which nothing changes; NaN: none.
    void setCeiling(double rate);
    double ceiling() const { return m_ceiling; }

    Reading reading() const override;
    void setReading(double value) override;

protected:
    Heights heights() const override { return {.above = 0, .track = 20, .below = 13}; }
    double handlePosition() const override;
    bool takePosition(double position) override;
    bool takeStep(SliderStep step) override;
    void paintScale(QPainter& painter) const override;

private:
    bool take(double rate);
    void paintTrack(QPainter& painter) const;
    void paintTicks(QPainter& painter) const;

    Role m_role;
    double m_rate;
    double m_ceiling;
};

} // namespace fkv::app
