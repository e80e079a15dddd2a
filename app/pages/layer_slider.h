// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/painted_slider.h"

#include <vector>

namespace fkv::app {

/// The TSP layer: one stop a layer, filled where a checkpoint makes it quick, known good and bad
/// results above as a tick and a cross.
class LayerSlider : public PaintedSlider {
    Q_OBJECT
public:
    enum class Known : std::uint8_t { Nothing, Holds, Breaks };
    struct Stop {
        bool held = false; ///< a checkpoint of this layer is there
        Known known = Known::Nothing;
        bool operator==(const Stop&) const = default;
    };
    LayerSlider(const viz::Theme& theme, QWidget* parent);

    int layer() const { return m_layer; }
    /// -1 or a layer that has no stop: no handle. Emits nothing.
    void setLayer(int layer);
    void setStops(std::vector<Stop> stops); ///< [L]
    const std::vector<Stop>& stops() const { return m_stops; }

    Reading reading() const override;
    void setReading(double value) override;

protected:
    Heights heights() const override { return {.above = 10, .track = 16, .below = 13}; }
    double handlePosition() const override;
    bool takePosition(double position) override;
    bool takeStep(SliderStep step) override;
    void paintScale(QPainter& painter) const override;

private:
    int layers() const { return static_cast<int>(m_stops.size()); }
    double positionOf(int layer) const;
    bool take(int layer);
    void paintStops(QPainter& painter) const;
    void paintKnown(QPainter& painter) const;
    void paintNames(QPainter& painter) const;

    int m_layer = -1;
    std::vector<Stop> m_stops;
};

} // namespace fkv::app
