// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/painted_slider.h"

namespace fkv::app {

/// How deep in a text: 0 to 100 %, linear, and where the fact really goes once it met a sentence.
class DepthSlider : public PaintedSlider {
    Q_OBJECT
public:
    DepthSlider(const viz::Theme& theme, QWidget* parent);

    double depth() const { return m_depth; } ///< in [0, 1]
    void setDepth(double depth);             ///< emits nothing
    /// The depth of the sentence start that was taken: a small mark on the track.
    void setSnapped(double depth);

    Reading reading() const override;
    void setReading(double value) override;

protected:
    Heights heights() const override { return {.above = 0, .track = 20, .below = 13}; }
    double handlePosition() const override { return m_depth; }
    bool takePosition(double position) override;
    bool takeStep(SliderStep step) override;
    void paintScale(QPainter& painter) const override;

private:
    bool take(double depth);

    double m_depth = 0.5;
    double m_snapped = 0.5;
};

} // namespace fkv::app
