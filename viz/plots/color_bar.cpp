// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/color_bar.h"

#include "viz/series/importance.h"

#include <QPainter>

namespace fkv::viz {
namespace {

constexpr int kBarHeight = 8;
constexpr int kMargin = 14;

}  // namespace

ColorBar::ColorBar(const ViewContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&m_context.theme, &Theme::changed, this, [this] {
        updateGeometry();
        update();
    });
}

void ColorBar::setScale(std::vector<Label> labels, bool twoFates) {
    m_labels = std::move(labels);
    m_twoFates = twoFates;
    QStringList words;
    for (const Label& label : m_labels) words << label.text;
    setAccessibleName(tr("Colour scale: %1").arg(words.join(QStringLiteral(", "))));
    update();
}

void ColorBar::setTriangles(std::vector<Triangle> triangles) {
    m_triangles = std::move(triangles);
    update();
}

QSize ColorBar::sizeHint() const {
    return {m_context.theme.scaled(190), m_context.theme.scaled(24)};
}

void ColorBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Palette& colours = m_context.theme.palette();
    const int margin = m_context.theme.scaled(kMargin);
    const int left = margin, right = width() - margin;
    const int barHeight = m_context.theme.scaled(kBarHeight);
    const int top = 3;
    for (int x = left; x < right; ++x) {
        const float share = static_cast<float>(x - left) / static_cast<float>(right - left - 1);
        const int split = m_twoFates ? barHeight / 2 : barHeight;
        painter.fillRect(x, top, 1, split, QColor(colours.ramp(share, true)));
        if (m_twoFates)
            painter.fillRect(x, top + split, 1, barHeight - split, QColor(colours.ramp(share, false)));
    }
    const auto xOf = [&](double at) { return left + at * (right - left - 1); };
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    for (const Triangle& t : m_triangles) {
        painter.setBrush(t.color);
        const double x = xOf(t.at);
        painter.drawPolygon(QPolygonF({QPointF(x - 4, 0), QPointF(x + 4, 0), QPointF(x, 6)}));
    }
    painter.setPen(colours.mutedText);
    QFont font = m_context.theme.smallFont();
    font.setPointSizeF(font.pointSizeF() * 0.85);
    painter.setFont(font);
    const QFontMetrics metrics(font);
    double free = -1e9;
    for (const Label& label : m_labels) {
        const int w = metrics.horizontalAdvance(label.text);
        const double x = std::clamp(xOf(label.at) - w / 2.0, 0.0, static_cast<double>(std::max(0, width() - w)));
        if (x < free) continue;
        painter.drawText(QPointF(x, top + barHeight + metrics.ascent()), label.text);
        free = x + w + 3;
    }
}

std::vector<ColorBar::Label> importanceLabels(std::int64_t scored) {
    const float high = importanceHigh(scored);
    std::vector<ColorBar::Label> labels{{0.0, QStringLiteral("top 50 %")}};
    const struct {
        float v;
        const char16_t* text;
    } ticks[] = {{1.0F, u"10 %"}, {2.0F, u"1 %"}, {3.0F, u"0.1 %"}};
    for (const auto& tick : ticks)
        if (tick.v <= high + 1e-3F)
            labels.push_back({rampPosition(tick.v, kImportanceLow, high), QString::fromUtf16(tick.text)});
    return labels;
}

}  // namespace fkv::viz
