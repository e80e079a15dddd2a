// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/heads_model.h"
#include "viz/plots/plot_label.h"
#include "viz/plots/position_view.h"
#include "viz/series/head_envelope.h"

#include <QPixmap>
#include <QStringList>
#include <optional>

namespace fkv::viz {

/// One head over the shared position range: the envelope of importance (best token a cell), filled
/// where that token is kept and grey where not, the cut line at C, and below it the share kept. By
/// the scores that decide for this head (HeadEnvelope), so that what is above the line is what is
/// kept. Shows the pinned head; without one, head 0 of the layer that single-layer views show.
class HeadView : public PositionView {
    Q_OBJECT
public:
    HeadView(const ViewContext& context, HeadsModel& model, QWidget* parent = nullptr);

    HeadPlace place() const;
    QRect plotRect() const override { return plotIn(size()); }
    QRect barRect() const { return barIn(size()); }
    int picturesPainted() const { return m_pictures; }
    const std::vector<std::int64_t>& tied() { return drawn().tied; }
    int envelopesMade() const { return m_envelopes; }
    /// "layer 15 head 3 · full-pass scores · 131 tokens a cell"
    QString title() const;

    void paintInto(QPainter& painter, const QSize& size);
    PlotLabels labels(const QSize& size) { return labelsOf(size, makeDrawn(plotIn(size).width())); }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    Hover hitTest(const QPoint& point) const override;
    bool onAxis(const QPoint& point) const override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    /// What an envelope follows from; a moved KV slider changes none of it.
    struct Key {
        HeadPlace at;
        trace::PlanePtr<std::uint32_t> ranks;
        bool compacted = false;
        int firstLate = 0;
        std::int64_t propagated = 0;
        TokenRange visible;
        int width = 0;
        bool operator==(const Key&) const = default;
    };
    struct Drawn {
        Key key;
        PositionAxis axis;
        HeadEnvelope envelope;
        EnvelopeFate fate;
        std::vector<std::int64_t> tied; ///< visible tokens at the cut, where they are wide enough
    };
    /// An entry of the legend: what a fill means.
    struct Swatch {
        QRect box;
        QColor colour;
        bool hatched = false;
    };
    QRect plotIn(const QSize& size) const;
    QRect barIn(const QSize& size) const;
    QRect laneIn(const QSize& size) const;
    QRect ticksIn(const QSize& size) const;
    void forget();
    Drawn makeDrawn(int width);
    const Drawn& drawn();
    std::vector<std::int64_t> tiedIn(HeadPlace at, const PositionAxis& axis) const;
    static int yOf(float importance, const QRect& plot, const Drawn& d);

    void paintBase(QPainter& painter, const QSize& size, const Drawn& d) const;
    PlotLabels labelsOf(const QSize& size, const Drawn& d) const;
    void addLegend(const QSize& size, const Drawn& d, std::vector<Swatch>& swatches,
                   PlotLabels& labels) const;
    void addLevels(const QRect& plot, const Drawn& d, PlotLabels& labels) const;
    void addCut(const QRect& plot, const Drawn& d, PlotLabels& labels) const;
    void paintLegend(QPainter& painter, const QSize& size, const Drawn& d) const;
    void paintLevels(QPainter& painter, const QRect& plot, const Drawn& d) const;
    void paintColumns(QPainter& painter, const QRect& plot, const Drawn& d) const;
    void paintTied(QPainter& painter, const QRect& plot, const Drawn& d) const;
    void paintCut(QPainter& painter, const QRect& plot, const Drawn& d) const;
    void paintBar(QPainter& painter, const QRect& bar, const Drawn& d) const;
    void paintPositions(QPainter& painter, const QSize& size, const Drawn& d) const;
    static QStringList titlesOf(HeadPlace at, bool fromRerun, const PositionAxis& axis);
    QColor droppedColour() const;
    int textHeight() const;
    int leftWidth() const;

    HeadsModel& m_model;
    std::optional<Drawn> m_drawn;
    bool m_fateStale = true;
    QPixmap m_base;
    int m_pictures = 0;
    int m_envelopes = 0;
};

} // namespace fkv::viz
