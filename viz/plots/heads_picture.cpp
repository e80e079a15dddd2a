// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_picture.h"

#include "viz/plots/position_paint.h"
#include "viz/series/format.h"

#include <QCoreApplication>
#include <QImage>
#include <QPainter>
#include <QStringList>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kBracketWidth = 8;
constexpr int kNameGap = 6;

QString tr(const char* text) {
    return QCoreApplication::translate("HeadsPicture", text);
}

int widthOf(const QFont& font, const QString& text) {
    return QFontMetrics(font).horizontalAdvance(text);
}

QString worstText(int layer, int head, const QString& mass) {
    return tr("worst L%1 H%2 %3").arg(layer).arg(head).arg(mass);
}

} // namespace

int HeadsPicture::leftWidth(const QFont& font) {
    return std::max(widthOf(font, tr("t = %1").arg(88)),
                    widthOf(font, tr("top %1").arg(QStringLiteral("10 %")))) +
           kNameGap + 2;
}

HeadsLayout::Params HeadsPicture::params(const QSize& size) const {
    HeadsLayout::Params p;
    p.size = size;
    p.layers = model.layers();
    p.heads = model.heads();
    p.firstLate = model.fate().budgets.firstLate();
    p.textHeight = textHeight();
    p.leftWidth = leftWidth(font());
    p.rightWidth = std::min(rightWidth(), size.width() / 2);
    p.mostRow = theme.scaled(30);
    return p;
}

HeadsLayout HeadsPicture::layout(const QSize& size, int scroll) const {
    HeadsLayout::Params p = params(size);
    p.scroll = scroll;
    return HeadsLayout(p);
}

HeadsLayout HeadsPicture::figureLayout(const QSize& size) const {
    HeadsLayout::Params p = params(size);
    p.leastRow = 1;
    return HeadsLayout(p);
}

HeadsView HeadsPicture::drawn(const HeadsLayout& layout) const {
    return view == HeadsView::Where && !layout.showsStrips() ? HeadsView::Mass : view;
}

int HeadsPicture::rightWidth() const {
    QStringList texts{tr("kept · KV a layer"), tr("TSP %1").arg(QStringLiteral("88.8 %")),
                      worstText(model.layers() - 1, model.heads() - 1, QStringLiteral("≈ 0.88"))};
    for (const int layer : {0, model.layers() - 1})
        texts << costOfLayer(layer);
    int width = 0;
    for (const QString& text : texts)
        width = std::max(width, widthOf(font(), text));
    return width + kBracketWidth + 4;
}

QString HeadsPicture::costOfLayer(int layer) const {
    const trace::LayerFate& fate = model.fate().layers[static_cast<std::size_t>(layer)];
    const std::int64_t bytes = fate.kept * model.heads() * model.run().model.kvBytesPerTokenHead();
    return formatCount(fate.kept) + QStringLiteral(" · ") + formatBytes(bytes);
}

QString HeadsPicture::worstName() const {
    const HeadPlace at = model.worst();
    const trace::State state = model.fate().layers[static_cast<std::size_t>(at.layer)].state;
    return worstText(at.layer, at.head,
                     withState(QString::number(model.worstMass(), 'f', 2), state));
}

void HeadsPicture::paint(QPainter& painter, const QSize& size, const HeadsLayout& layout) const {
    painter.save();
    painter.fillRect(QRect(QPoint(), size), theme.palette().base);
    painter.setFont(font());
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    if (!layout.empty()) {
        const HeadsView shown = drawn(layout);
        const QString empty = whyEmpty(shown);
        painter.save();
        painter.setClipRect(layout.grid(), Qt::IntersectClip);
        if (shown == HeadsView::Where)
            paintStrips(painter, layout);
        else if (empty.isEmpty())
            paintCells(painter, layout);
        if (empty.isEmpty()) {
            paintPreviews(painter, layout);
            if (shown == HeadsView::Mass) paintWorst(painter, layout);
            painter.fillRect(layout.grid().left(), layout.lineY() - 1, layout.grid().width(), 2,
                             theme.palette().tspLine);
        } else {
            paintMessage(painter, layout.grid(), empty);
        }
        painter.restore();
        if (layout.rowHeight() < textHeight()) paintBrackets(painter, layout);
        paintLabels(painter, labels(size, layout), font(), theme.palette());
    }
    painter.restore();
}

void HeadsPicture::paintStrips(QPainter& painter, const HeadsLayout& layout) const {
    const Palette& colours = theme.palette();
    const HeadStrips& strips = model.strips();
    const ShownBins shown(model.bins(), layout.stripWidth());
    // One line of pixels a layer, drawn as high as its row is.
    QImage image(layout.grid().width(), layout.layers(), QImage::Format_RGB32);
    image.fill(colours.base);
    std::vector<float> share(static_cast<std::size_t>(shown.bins));
    for (int l = 0; l < layout.layers(); ++l) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(l));
        for (int g = 0; g < layout.heads(); ++g) {
            QRgb* at = line + (layout.cell(l, g).left() - layout.grid().left());
            shareKept(strips.of(l, g), model.bins(), shown, share);
            for (const float kept : share) {
                std::fill_n(at, shown.pixels, colours.ramp(kept, true));
                at += shown.pixels;
            }
        }
    }
    for (int l = 0; l < layout.layers(); ++l)
        painter.drawImage(layout.row(l), image, QRect(0, l, image.width(), 1));
    // The window has no scores and is kept by every head: one gutter for all rows of a column.
    for (int g = 0; g < layout.heads(); ++g) {
        const int left = layout.cell(0, g).left() + shown.width() + 1;
        paintGutter(painter,
                    {left, layout.grid().top(), layout.gutterWidth(), layout.grid().height()},
                    colours);
    }
}

QString HeadsPicture::valueText(float value, HeadsView shown) const {
    if (shown == HeadsView::Mass) return formatMass(value);
    return formatCount(std::llround(value)) + QStringLiteral(" / ") +
           formatCount(model.span().size());
}

bool HeadsPicture::showsNumbers(const HeadsLayout& layout) const {
    const HeadsView shown = drawn(layout);
    if (shown != HeadsView::Mass && shown != HeadsView::Span) return false;
    const int widest = std::max(
        widthOf(font(), valueText(static_cast<float>(model.span().size()), HeadsView::Span)),
        widthOf(font(), QStringLiteral("> 0.88")));
    return layout.rowHeight() > textHeight() && layout.cellWidth() >= widest + 6;
}

void HeadsPicture::paintCells(QPainter& painter, const HeadsLayout& layout) const {
    const Palette& colours = theme.palette();
    const HeadsView shown = drawn(layout);
    const bool mass = shown == HeadsView::Mass;
    const std::vector<float>& values = mass ? model.mass() : model.spanKept();
    const float full = mass ? 1.0F : static_cast<float>(model.span().size());
    const bool numbers = showsNumbers(layout);
    for (int l = 0; l < layout.layers(); ++l)
        for (int g = 0; g < layout.heads(); ++g) {
            const QRect cell = layout.cell(l, g);
            const float value = values[static_cast<std::size_t>(l * layout.heads() + g)];
            if (std::isnan(value)) {
                painter.fillRect(cell, colours.gridLine);
                paintHatch(painter, cell, colours.mutedText, 5);
                continue;
            }
            const QColor colour(colours.ramp(value / full, true));
            painter.fillRect(cell, colour);
            if (!numbers) continue;
            painter.setPen(inkOn(colour));
            painter.drawText(cell, Qt::AlignCenter | Qt::TextSingleLine, valueText(value, shown));
        }
}

QString HeadsPicture::whyEmpty(HeadsView shown) const {
    if (shown == HeadsView::Span && model.span().size() == 0)
        return tr("No span is tracked. Point at a token or select some in the text, then press P. "
                  "A hidden fact is tracked by itself.");
    if (shown != HeadsView::Mass) return {};
    const std::vector<float>& mass = model.mass();
    if (std::any_of(mass.begin(), mass.end(), [](float m) { return !std::isnan(m); })) return {};
    return model.run().full->layers.front().sums
               ? tr("Attention mass is still being added up.")
               : tr("This run has no window sums: the mass of its heads is not known.");
}

void HeadsPicture::paintMessage(QPainter& painter, const QRect& area, const QString& text) const {
    const Palette& colours = theme.palette();
    painter.setBrush(colours.base);
    painter.setPen(colours.border);
    painter.drawRect(area.adjusted(0, 0, -1, -1));
    painter.setPen(colours.text);
    painter.drawText(area.adjusted(8, 4, -8, -4), Qt::AlignCenter | Qt::TextWordWrap, text);
}

void HeadsPicture::paintPreviews(QPainter& painter, const HeadsLayout& layout) const {
    int first = layout.layers(), last = 0;
    for (int l = 0; l < layout.layers(); ++l)
        if (model.fate().layers[static_cast<std::size_t>(l)].state != trace::State::Exact) {
            first = std::min(first, l);
            last = l + 1;
        }
    if (first < last)
        paintPreview(painter, layout.rows(first, last).intersected(layout.grid()), theme.palette(),
                     font());
}

void HeadsPicture::paintWorst(QPainter& painter, const HeadsLayout& layout) const {
    if (!model.worst().valid()) return;
    const QRect worst = layout.cell(model.worst().layer, model.worst().head);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(theme.palette().base);
    painter.drawRect(worst.adjusted(-2, -2, 1, 1));
    painter.setPen(theme.palette().lost);
    painter.drawRect(worst.adjusted(-1, -1, 0, 0));
    if (worst.height() > 4) painter.drawRect(worst.adjusted(0, 0, -1, -1));
}

void HeadsPicture::paintBrackets(QPainter& painter, const HeadsLayout& layout) const {
    const int split = model.fate().budgets.firstLate();
    const QColor& ink = theme.palette().border;
    for (const auto& [first, last] : {std::pair{0, split}, std::pair{split, layout.layers()}}) {
        const QRect block = layout.rows(first, last).intersected(layout.grid());
        if (block.isEmpty()) continue;
        painter.fillRect(block.right() + 4, block.top(), 1, block.height(), ink);
        painter.fillRect(block.right() + 2, block.top(), 2, 1, ink);
        painter.fillRect(block.right() + 2, block.bottom(), 2, 1, ink);
    }
}

PlotLabels HeadsPicture::labels(const QSize& size, const HeadsLayout& layout) const {
    PlotLabels labels;
    if (layout.empty()) return labels;
    addNames(size, layout, labels);
    addCosts(size, layout, labels);
    return labels;
}

void HeadsPicture::addNames(const QSize& size, const HeadsLayout& layout,
                            PlotLabels& labels) const {
    const int height = textHeight();
    const int right = layout.grid().left() - kNameGap;
    const trace::Budgets& budgets = model.fate().budgets;
    const int t = budgets.tspOn ? budgets.tspLayer : -1;
    labels.push_back({{0, 0, right, height}, Qt::AlignRight, tr("layer")});
    int free = height;
    for (const int l : namedLayers(layout.layers(), t, layout.rowHeight(), height)) {
        const int middle = layout.row(l).center().y();
        if (middle < layout.grid().top() || middle > layout.grid().bottom()) continue;
        // At the ends a name may stand a little off its row.
        const int top =
            std::clamp(middle - height / 2, height, std::max(height, size.height() - height));
        if (top < free) continue;
        labels.push_back({{0, top, right, height},
                          Qt::AlignRight,
                          l == t ? tr("t = %1").arg(l) : QString::number(l),
                          l == t});
        free = top + height;
    }
    const QString word = tr("head %1").arg(0);
    const int widest = widthOf(font(), QString::number(layout.heads() - 1)) + 6;
    const int pitch = layout.heads() > 1 ? layout.cell(0, 1).left() - layout.cell(0, 0).left()
                                         : layout.cellWidth();
    const int step = (widest + pitch - 1) / pitch;
    for (int g = 0; g < layout.heads(); g += step) {
        const QRect cell = layout.cell(0, g);
        const int width = step == 1 ? cell.width() : widest;
        const QRect box(cell.center().x() - (width - 1) / 2, 0, width, height);
        const bool named = g == 0 && widthOf(font(), word) <= width;
        labels.push_back({box, Qt::AlignHCenter, named ? word : QString::number(g)});
    }
}

void HeadsPicture::addCosts(const QSize& size, const HeadsLayout& layout,
                            PlotLabels& labels) const {
    const int height = textHeight();
    const int left = layout.grid().right() + 1 + kBracketWidth;
    const int width = size.width() - left;
    const QRect grid = layout.grid();
    labels.push_back({{left, 0, width, height}, Qt::AlignLeft, tr("kept · KV a layer")});
    const trace::Budgets& budgets = model.fate().budgets;
    std::vector<int> middles;
    QStringList texts;
    const auto add = [&](int middle, const QString& text) {
        if (middle < grid.top() || middle > grid.bottom()) return;
        middles.push_back(middle);
        texts.push_back(text);
    };
    const bool namesWorst = drawn(layout) == HeadsView::Mass && model.worst().valid();
    if (layout.rowHeight() >= height) {
        // Where the worst cell has no number of its own, it is named in its row.
        const int named = namesWorst && !showsNumbers(layout) ? model.worst().layer : -1;
        for (int l = 0; l < layout.layers(); ++l)
            add(layout.row(l).center().y(), l == named ? worstName() : costOfLayer(l));
    } else {
        for (const auto& [first, last] :
             {std::pair{0, budgets.firstLate()}, std::pair{budgets.firstLate(), layout.layers()}}) {
            const QRect block = layout.rows(first, last).intersected(grid);
            if (!block.isEmpty()) add(block.center().y(), costOfLayer(first));
        }
        if (namesWorst) add(layout.row(model.worst().layer).center().y(), worstName());
        add(layout.lineY(),
            budgets.tspOn ? tr("TSP %1").arg(formatRate(budgets.tspRate)) : tr("TSP off"));
    }
    // What comes last is least missed.
    const auto most = static_cast<std::size_t>(std::max(0, size.height() / height - 1));
    if (middles.size() > most) middles.resize(most);
    const std::vector<int> tops = spreadLabels(middles, height, height, size.height());
    for (std::size_t i = 0; i < tops.size(); ++i)
        labels.push_back({{left, tops[i], width, height},
                          Qt::AlignLeft,
                          texts[static_cast<qsizetype>(i)],
                          true});
}

} // namespace fkv::viz
