// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/heads_layout.h"
#include "viz/plots/heads_model.h"
#include "viz/plots/plot_label.h"

#include <QString>

class QPainter;

namespace fkv::viz {

enum class HeadsView : std::uint8_t { Where, Mass, Span, Head };

/// Everything of the grid but what follows the pointer and the pins.
struct HeadsPicture {
    HeadsModel& model;
    const Theme& theme;
    HeadsView view = HeadsView::Where;

    HeadsLayout layout(const QSize& size, int scroll) const;
    /// Without scrolling: rows become as low as they must.
    HeadsLayout figureLayout(const QSize& size) const;
    /// The view that is really drawn: Where needs cells of some width.
    HeadsView drawn(const HeadsLayout& layout) const;
    void paint(QPainter& painter, const QSize& size, const HeadsLayout& layout) const;
    /// Names of layers and heads, and at the right what a layer costs: a line a row, or, where rows
    /// are lower than text, one for all layers up to t and one for those after it.
    PlotLabels labels(const QSize& size, const HeadsLayout& layout) const;

    /// "13,107 · 6.40 MiB": what every head of a layer keeps, and what the layer's cache takes.
    QString costOfLayer(int layer) const;
    /// "worst L5 H3 0.62"
    QString worstName() const;
    /// Width left of the plots of this panel, for names of layers and of levels.
    static int leftWidth(const QFont& font);

private:
    QFont font() const { return theme.smallFont(); }
    HeadsLayout::Params params(const QSize& size) const;
    int rightWidth() const;
    int textHeight() const { return QFontMetrics(font()).height(); }
    void paintStrips(QPainter& painter, const HeadsLayout& layout) const;
    void paintCells(QPainter& painter, const HeadsLayout& layout) const;
    QString valueText(float value, HeadsView shown) const;
    bool showsNumbers(const HeadsLayout& layout) const;
    QString whyEmpty(HeadsView shown) const;
    void paintMessage(QPainter& painter, const QRect& area, const QString& text) const;
    void paintPreviews(QPainter& painter, const HeadsLayout& layout) const;
    void paintWorst(QPainter& painter, const HeadsLayout& layout) const;
    void paintBrackets(QPainter& painter, const HeadsLayout& layout) const;
    void addNames(const QSize& size, const HeadsLayout& layout, PlotLabels& labels) const;
    void addCosts(const QSize& size, const HeadsLayout& layout, PlotLabels& labels) const;
};

} // namespace fkv::viz
