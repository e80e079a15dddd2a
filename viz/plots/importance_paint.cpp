// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_paint.h"

#include "viz/plots/position_paint.h"
#include "viz/series/format.h"
#include "viz/series/importance.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <QPaintEngine>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <limits>

namespace fkv::viz {
namespace {

constexpr int kEnlarged = 4; ///< px a cell's px in vector figures

QString tr(const char* text) {
    return QCoreApplication::translate("ImportanceMap", text);
}

QString tspText(const trace::Fate& fate) {
    if (!fate.budgets.tspOn) return tr("TSP off");
    const trace::Amount& asked = fate.settings.tsp;
    if (asked.unit == trace::Amount::Unit::Tokens)
        return tr("TSP %1").arg(formatCount(asked.tokens));
    return tr("TSP %1").arg(formatRate(fate.budgets.tspRate));
}
QString enteringText(const trace::Fate& fate) {
    return tr("S = %1").arg(formatCount(fate.tokens()));
}
QString survivorsText(const trace::Fate& fate) {
    return tr("T = %1").arg(formatCount(fate.budgets.propagated));
}
QString layerText(const trace::Fate& fate, int layer) {
    if (fate.budgets.tspOn && layer == fate.budgets.tspLayer) return tr("t = %1").arg(layer);
    return layer == 0 ? tr("layer %1").arg(0) : QString::number(layer);
}

int rowsAbove(const trace::Fate& fate, int layers) {
    return fate.budgets.tspOn ? fate.budgets.tspLayer + 1 : layers;
}

QFont strongFont(const QFont& font) {
    QFont strong = font;
    strong.setBold(true);
    return strong;
}

/// The picture of rows [first, last) into their place.
void drawRows(QPainter& painter, const ImportanceScene& scene, int first, int last) {
    const QImage& picture = scene.image.picture();
    if (last <= first || picture.isNull()) return;
    QRect target = scene.layout.block(first, last);
    target.setWidth(scene.layout.plotWidth);
    const QRect source(0, first, picture.width(), last - first);
    const QPaintEngine* engine = painter.paintEngine();
    if (engine && engine->type() != QPaintEngine::Raster) {
        painter.drawImage(target, picture.copy(source).scaled(target.size() * kEnlarged,
                                                              Qt::IgnoreAspectRatio,
                                                              Qt::FastTransformation));
        return;
    }
    painter.drawImage(target, picture, source);
}

void drawRibbon(QPainter& painter, const ImportanceScene& scene) {
    const Palette& colours = scene.context.theme.palette();
    const QRect& area = scene.layout.ribbon;
    const QRect plot(area.left(), area.top(), scene.layout.plotWidth, area.height());
    painter.fillRect(area, colours.base);
    const PositionAxis& axis = scene.image.axis();
    const auto& kept = scene.image.ribbon();
    const int most = plot.height() - 2;
    for (int cell = 0; cell < axis.cells(); ++cell) {
        const PixelRange px = axis.pixelsOf(cell);
        const double share = static_cast<double>(kept[static_cast<std::size_t>(cell)]) /
                             static_cast<double>(axis.tokensOf(cell).size());
        const int height = static_cast<int>(std::lround(share * most));
        painter.fillRect(plot.left() + px.x0, plot.bottom() - height, px.width(), height,
                         colours.fastkv);
    }
    painter.fillRect(plot.left(), plot.bottom(), plot.width(), 1, colours.border);
}

void drawLost(QPainter& painter, const ImportanceScene& scene) {
    const Palette& colours = scene.context.theme.palette();
    const QRect& area = scene.layout.lost;
    painter.fillRect(area.left(), area.bottom(), scene.layout.plotWidth, 1, colours.border);
    const std::int64_t scored = scene.image.axis().scored();
    const float high = importanceHigh(scored);
    for (const RankedToken& lost : scene.image.lost()) {
        if (lost.token < 0) continue;
        const TokenRange cell = scene.image.axis().tokensOf(scene.image.axis().cellOf(lost.token));
        const PixelRange px = scene.image.axis().pixelsOf(
            cell.size() > 0 ? cell : TokenRange{lost.token, lost.token + 1}, kLeastMark);
        const float share = rampPosition(importance(lost.rank, scored), ImportanceImage::kLostFrom,
                                         std::max(high, ImportanceImage::kLostFrom + 0.1F));
        const int height =
            std::max(3, static_cast<int>(std::lround((0.4F + 0.6F * share) *
                                                     static_cast<float>(area.height() - 1))));
        painter.fillRect(area.left() + px.x0, area.bottom() - height, px.width(), height,
                         colours.lost);
    }
}

void drawLine(QPainter& painter, const ImportanceScene& scene) {
    const ImportanceLayout& layout = scene.layout;
    const Palette& colours = scene.context.theme.palette();
    painter.fillRect(layout.line, colours.tspLine);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colours.tspLine);
    const QRectF left(layout.leftHandle), right(layout.rightHandle);
    painter.drawPolygon(
        QPolygonF({left.topLeft(), QPointF(left.right(), left.center().y()), left.bottomLeft()}));
    painter.drawPolygon(QPolygonF(
        {right.topRight(), QPointF(right.left(), right.center().y()), right.bottomRight()}));
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void drawTies(QPainter& painter, const ImportanceScene& scene) {
    if (scene.image.tied().empty()) return;
    const QRect row = scene.layout.row(scene.context.shown.fate()->budgets.tspLayer);
    for (const std::int32_t token : scene.image.tied()) {
        const PixelRange px = scene.image.axis().pixelsOf({token, token + 1}, kLeastMark);
        paintTie(painter, QRect(row.left() + px.x0, row.top(), px.width(), row.height()),
                 scene.context.theme.palette());
    }
}

void drawPinnedLayer(QPainter& painter, const ImportanceScene& scene) {
    const int layer = scene.context.selection.pinnedLayer();
    if (layer < 0 || layer >= scene.layout.layers) return;
    const QRect row = scene.layout.row(layer);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(scene.context.theme.palette().focus);
    painter.drawRect(row.adjusted(-1, -1, 0, 0));
}

void drawOverview(QPainter& painter, const ImportanceScene& scene) {
    const QRect& strip = scene.layout.overview;
    if (strip.isNull() || scene.image.overview().isNull()) return;
    const Palette& colours = scene.context.theme.palette();
    painter.drawImage(strip, scene.image.overview());
    const Selection& selection = scene.context.selection;
    const PositionAxis all(selection.scored(), {0, selection.scored()}, strip.width());
    for (const Mark& mark : selection.marks()) {
        const PixelRange px = all.pixelsOf(mark.tokens, kLeastMark);
        painter.fillRect(strip.left() + px.x0, strip.top(), px.width(), 4,
                         colours.pins[static_cast<std::size_t>(std::clamp(mark.number, 1, 8) - 1)]);
    }
    const PixelRange px = all.pixelsOf(selection.range(), kLeastMark);
    QColor veil = colours.base;
    veil.setAlphaF(0.6F);
    painter.fillRect(QRect(strip.left(), strip.top(), px.x0, strip.height()), veil);
    painter.fillRect(
        QRect(strip.left() + px.x1, strip.top(), strip.width() - px.x1, strip.height()), veil);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(colours.hover);
    painter.drawRect(QRect(strip.left() + px.x0, strip.top(), px.width() - 1, strip.height() - 1));
}

void drawNothing(QPainter& painter, const ImportanceScene& scene) {
    const Palette& colours = scene.context.theme.palette();
    painter.setPen(colours.mutedText);
    const QString text =
        scene.image.rows() == 0
            ? tr("This file holds no ranks over all heads.")
            : tr("No longer than the window: every token is kept, none is scored.");
    const QRect area = scene.layout.rowsView;
    painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap, text);
}

/// Boxes for labels, none over another.
class LabelColumn {
public:
    LabelColumn(int left, int width, int height, Qt::Alignment side)
        : m_left(left), m_width(width), m_height(height), m_side(side | Qt::AlignVCenter) {}
    /// Around `middle`, unless another label is there.
    void addAt(int middle, const QString& text, bool strong) {
        const QRect box(m_left, middle - m_height / 2, m_width, m_height);
        const auto over = [&](const TextBox& other) { return other.box.intersects(box); };
        if (std::none_of(m_boxes.begin(), m_boxes.end(), over))
            m_boxes.push_back({box, text, strong, m_side});
    }
    /// Around `middle`, or as near above as the last stacked label leaves room.
    void stackAt(int middle, const QString& text, bool strong) {
        const int top = std::min(middle - m_height / 2, m_stackTop - m_height);
        m_stackTop = top;
        m_boxes.push_back({QRect(m_left, top, m_width, m_height), text, strong, m_side});
    }
    std::vector<TextBox> take() { return std::move(m_boxes); }

private:
    int m_left, m_width, m_height;
    Qt::Alignment m_side;
    int m_stackTop = std::numeric_limits<int>::max() / 2;
    std::vector<TextBox> m_boxes;
};

/// What the lanes are and t, from below; then the pinned layer, and others where there is room.
std::vector<TextBox> leftLabels(const ImportanceScene& scene, int height) {
    const ImportanceLayout& layout = scene.layout;
    const trace::Fate& fate = *scene.context.shown.fate();
    LabelColumn column(layout.leftLabels, layout.leftLabelWidth, height, Qt::AlignRight);
    column.stackAt(layout.ticks.bottom() + 1 - (height + 1) / 2, tr("token"), false);
    column.stackAt(layout.lost.center().y(), tr("lost"), false);
    const QRect& view = layout.rowsView;
    if (view.contains(layout.ribbon.center()))
        column.stackAt(layout.ribbon.center().y(), tr("passes"), false);
    const int t = fate.budgets.tspLayer;
    if (fate.budgets.tspOn && view.contains(layout.row(t).center()))
        column.stackAt(layout.row(t).center().y(), layerText(fate, t), true);
    const auto addLayer = [&](int layer, bool strong) {
        const QPoint middle = layout.row(layer).center();
        if (view.contains(middle)) column.addAt(middle.y(), layerText(fate, layer), strong);
    };
    const int pinned = scene.context.selection.pinnedLayer();
    if (pinned >= 0 && pinned < layout.layers) addLayer(pinned, true);
    const int step = 4 * layout.rowHeight >= height ? 4 : 8;
    for (int layer = 0; layer < layout.layers; layer += step)
        addLayer(layer, false);
    return column.take();
}

/// Beside the line what it lets pass; above it S and below it T, each at the top of its rows, or as
/// near as a thin block lets it.
std::vector<TextBox> rightLabels(const ImportanceScene& scene, int height) {
    const ImportanceLayout& layout = scene.layout;
    const trace::Fate& fate = *scene.context.shown.fate();
    LabelColumn column(layout.rightLabels, layout.rightLabelWidth, height, Qt::AlignLeft);
    const QRect& view = layout.rowsView;
    const QRect upper = layout.block(0, layout.above).intersected(view);
    const QRect lower = layout.block(layout.above, layout.layers).intersected(view);
    const int half = height / 2;
    int above = upper.top() + half, below = lower.top() + half;
    if (view.contains(layout.line.center())) {
        const int middle = layout.line.united(layout.ribbon).center().y();
        column.addAt(middle, tspText(fate), true);
        above = std::min(above, middle - height);
        below = std::max(below, middle + height);
    }
    if (!upper.isEmpty()) column.addAt(std::max(above, half), enteringText(fate), false);
    if (lower.isEmpty()) return column.take();
    column.addAt(below, survivorsText(fate), false);
    if (scene.image.previewFrom() < layout.layers)
        column.addAt(below + height, tr("≈ preview"), false);
    return column.take();
}

} // namespace

QFont importanceFont(const Theme& theme) {
    return theme.smallFont();
}

ImportanceLayout layoutImportance(const ViewContext& context, const QSize& size, int scroll) {
    ImportanceLayout::Inputs in;
    in.size = size;
    in.scroll = scroll;
    in.scale = context.theme.scaled(100) / 100.0;
    const QFont font = importanceFont(context.theme);
    const QFontMetrics metrics(font), strong(strongFont(font));
    in.textHeight = metrics.height();
    const auto& run = context.shown.run();
    const auto& fate = context.shown.fate();
    if (!run || !fate) return ImportanceLayout(in);
    in.layers = run->model.layers;
    in.above = rowsAbove(*fate, in.layers);
    in.zoomed = context.selection.range().size() < context.selection.scored();
    for (const QString& text : {layerText(*fate, 0), tr("t = %1").arg(in.layers - 1), tr("passes"),
                                tr("lost"), tr("token")})
        in.leftWidth = std::max(in.leftWidth, strong.horizontalAdvance(text));
    // "888,888" is as wide as any number of its length, so that a moving T does not move the map.
    QString widest = formatCount(fate->tokens());
    for (QChar& c : widest)
        if (c.isDigit()) c = u'8';
    for (const QString& text :
         {tr("S = %1").arg(widest), tr("T = %1").arg(widest), tr("TSP %1").arg(widest),
          tr("TSP %1").arg(QStringLiteral("88.8 %")), tr("TSP off"), tr("≈ preview")})
        in.rightWidth = std::max(in.rightWidth, strong.horizontalAdvance(text));
    return ImportanceLayout(in);
}

bool updateImage(ImportanceImage& image, const ViewContext& context,
                 const ImportanceLayout& layout) {
    ImportanceImage::Inputs in;
    in.run = context.shown.run();
    in.fate = context.shown.fate();
    in.source = context.options.source();
    in.scale = context.options.scale();
    in.mode = context.options.fateMode();
    in.visible = context.selection.range();
    in.width = layout.plotWidth;
    in.overview = !layout.overview.isNull();
    in.colours = &context.theme.palette();
    return image.update(in);
}

std::vector<TextBox> labelsOf(const ImportanceScene& scene) {
    const int height = QFontMetrics(importanceFont(scene.context.theme)).height();
    std::vector<TextBox> boxes = leftLabels(scene, height);
    for (TextBox& box : rightLabels(scene, height))
        boxes.push_back(std::move(box));
    return boxes;
}

void paintImportance(QPainter& painter, const ImportanceScene& scene) {
    const Palette& colours = scene.context.theme.palette();
    const ImportanceLayout& layout = scene.layout;
    const QFont font = importanceFont(scene.context.theme);
    const PositionAxis& axis = scene.image.axis();
    painter.save();
    painter.setFont(font);
    if (scene.image.rows() == 0 || axis.cells() == 0) {
        drawNothing(painter, scene);
        painter.restore();
        return;
    }
    painter.save();
    painter.setClipRect(layout.rowsView.adjusted(-1, -1, 1, 1), Qt::IntersectClip);
    drawRows(painter, scene, 0, layout.above);
    drawRows(painter, scene, layout.above, layout.layers);
    if (scene.image.previewFrom() < layout.layers) {
        QRect guess =
            layout.block(scene.image.previewFrom(), layout.layers).intersected(layout.rowsView);
        guess.setWidth(layout.plotWidth);
        paintPreview(painter, guess, colours, font);
    }
    paintGutter(painter,
                {layout.plotRight(), layout.rowsView.top(), PositionAxis::kGutter,
                 layout.rowsView.height()},
                colours);
    drawRibbon(painter, scene);
    drawTies(painter, scene);
    drawPinnedLayer(painter, scene);
    painter.restore();
    if (layout.rowsView.contains(layout.line.center())) drawLine(painter, scene);
    drawLost(painter, scene);
    const TextWidth width = textWidthOf(font);
    paintMarks(painter, layout.marks, layoutMarks(scene.context.selection, axis, width), colours,
               font);
    paintTicks(painter, layout.ticks, positionTicks(axis, width), colours, font);
    drawOverview(painter, scene);
    for (const TextBox& label : labelsOf(scene)) {
        painter.setFont(label.strong ? strongFont(font) : font);
        painter.setPen(label.strong ? colours.text : colours.mutedText);
        painter.drawText(label.box,
                         static_cast<int>(label.alignment) | Qt::TextSingleLine | Qt::TextDontClip,
                         label.text);
    }
    painter.restore();
}

void paintImportanceHover(QPainter& painter, const ImportanceScene& scene, const Hover& hover) {
    const ImportanceLayout& layout = scene.layout;
    if (scene.image.rows() == 0) return;
    TokenRange tokens = hover.cell;
    if (tokens.size() == 0 && hover.token >= 0) tokens = {hover.token, hover.token + 1};
    const PixelRange column =
        markPixels(tokens, scene.image.axis(), scene.context.selection.tokens());
    std::optional<QRect> row;
    if (hover.layer >= 0 && hover.layer < layout.layers)
        row = layout.row(hover.layer).intersected(layout.rowsView);
    if (row && row->isEmpty()) row.reset();
    QRect plot = layout.rowsView.united(layout.lost);
    plot.setWidth(layout.plotWidth);
    paintHover(painter, plot, column, row, scene.context.theme.palette());
}

} // namespace fkv::viz
