// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/heads_picture.h"
#include "viz/plots/panel.h"

class QVBoxLayout;

namespace fkv::viz {

class ColorBar;
class HeadsGrid;
class HeadView;
class KvFooter;

/// "KV per head": where does each head keep, and what does that buy? Views Where, Mass kept, Span
/// and Head; a tall panel shows the head under the other three. Below them the bytes.
class HeadsPanel : public Panel {
    Q_OBJECT
public:
    static constexpr int kTallBody =
        260; ///< px of the body from which the head has a place of its own

    explicit HeadsPanel(const ViewContext& context, QWidget* parent = nullptr);
    QString csv() const override;
    void paintFigure(QPainter& painter, const QSize& size) override;

    HeadsModel& model() const { return *m_model; }
    HeadsGrid& grid() const { return *m_grid; }
    HeadView& head() const { return *m_head; }
    KvFooter& footer() const { return *m_footer; }

protected:
    bool hasContent() const override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void setupBody();
    void setupLegend();
    HeadsView chosen() const { return static_cast<HeadsView>(view()); }
    void arrange();
    void updateLegend();
    void updateReadout();
    bool inGrid(HeadPlace at) const;
    HeadPlace readoutHead() const; ///< invalid: it is about none
    QString readoutFor(int width) const;
    QString positionReadout(HeadPlace at) const;
    QString layerReadout(int layer) const;
    QString summary(int width) const;
    bool fits(const QString& readout, int width) const;

    HeadsModel* m_model = nullptr;
    HeadsGrid* m_grid = nullptr;
    HeadView* m_head = nullptr;
    KvFooter* m_footer = nullptr;
    ColorBar* m_legend = nullptr;
    QVBoxLayout* m_column = nullptr;
};

} // namespace fkv::viz
