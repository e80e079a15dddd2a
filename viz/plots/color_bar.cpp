// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/color_bar.h"

#include "viz/series/importance.h"

#include <QImage>
#include <QPainter>
#include <algorithm>
#include <array>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kLeastBar = 100;
constexpr int kMostBar = 240;
constexpr int kBarHeight = 8;
constexpr int kTop = 3;
constexpr int kWordGap = 4;
constexpr int kLabelGap = 5;

QFont labelFont(const Theme& theme) {
    QFont font = theme.smallFont();
    font.setPointSizeF(font.pointSizeF() * 0.85);
    return font;
}

int wordsWidth(const Theme& theme, const ColorBar::Scale& scale) {
    if (!scale.twoFates) return 0;
    const QFontMetrics metrics(labelFont(theme));
    return std::max(metrics.horizontalAdvance(ColorBar::tr("kept")),
                    metrics.horizontalAdvance(ColorBar::tr("dropped"))) +
           kWordGap;
}

/// What stands out beside the bar, since a label is centred under its place.
int overhang(const QFontMetrics& metrics, const ColorBar::Label& label) {
    return metrics.horizontalAdvance(label.text) / 2 + 1;
}

/// Long enough for every label to be drawn.
int barWidth(const Theme& theme, const std::vector<ColorBar::Label>& labels) {
    const QFontMetrics metrics(labelFont(theme));
    double width = theme.scaled(kLeastBar);
    for (std::size_t i = 1; i < labels.size(); ++i) {
        const double apart = labels[i].at - labels[i - 1].at;
        const double needed =
            overhang(metrics, labels[i - 1]) + overhang(metrics, labels[i]) + kLabelGap;
        if (apart > 0.0) width = std::max(width, needed / apart);
    }
    return static_cast<int>(std::ceil(std::min<double>(width, theme.scaled(kMostBar)))) + 1;
}

/// Which ramp is which, in its own colour where that can be read.
void paintWords(QPainter& painter, const QRect& area, const Theme& theme) {
    const Palette& colours = theme.palette();
    const int half = area.height() / 2;
    const int alignment = Qt::AlignRight | Qt::AlignVCenter | Qt::TextDontClip;
    painter.setPen(colours.fastkv);
    painter.drawText(QRect(area.left(), area.top(), area.width(), half), alignment,
                     ColorBar::tr("kept"));
    painter.setPen(colours.mutedText);
    painter.drawText(QRect(area.left(), area.top() + half, area.width(), area.height() - half),
                     alignment, ColorBar::tr("dropped"));
}

/// As one picture each: slices side by side would show seams in a scaled figure.
void paintRamps(QPainter& painter, const QRect& bar, bool twoFates, const Palette& colours) {
    const auto draw = [&](const QRect& area, const std::array<QRgb, 256>& ramp) {
        QImage row(static_cast<int>(ramp.size()), 1, QImage::Format_RGB32);
        std::copy(ramp.begin(), ramp.end(), reinterpret_cast<QRgb*>(row.scanLine(0)));
        painter.drawImage(area, row);
    };
    const int split = twoFates ? bar.height() / 2 : bar.height();
    draw(QRect(bar.left(), bar.top(), bar.width(), split), colours.rampKept);
    if (twoFates)
        draw(QRect(bar.left(), bar.top() + split, bar.width(), bar.height() - split),
             colours.rampDropped);
}

} // namespace

ColorBar::ColorBar(const ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    connect(&m_context.theme, &Theme::changed, this, [this] {
        updateGeometry();
        update();
    });
}

void ColorBar::setScale(std::vector<Label> labels, bool twoFates) {
    m_scale.labels = std::move(labels);
    m_scale.twoFates = twoFates;
    QStringList words;
    for (const Label& label : m_scale.labels)
        words << label.text;
    setAccessibleName(tr("Colour scale: %1").arg(words.join(QStringLiteral(", "))));
    updateGeometry();
    update();
}

void ColorBar::setTriangles(std::vector<Triangle> triangles) {
    m_scale.triangles = std::move(triangles);
    update();
}

QSize ColorBar::minimumSizeHint() const {
    return {sizeHint().width() * 2 / 3, sizeHint().height()};
}

QSize ColorBar::sizeFor(const Theme& theme, const Scale& scale) {
    const QFontMetrics metrics(labelFont(theme));
    const int sides = scale.labels.empty() ? 8
                                           : overhang(metrics, scale.labels.front()) +
                                                 overhang(metrics, scale.labels.back());
    return {wordsWidth(theme, scale) + sides + barWidth(theme, scale.labels), theme.scaled(24)};
}

ColorBar::Places ColorBar::placesIn(const QRect& area, const Scale& scale, const Theme& theme) {
    const QFontMetrics metrics(labelFont(theme));
    const QRect labels = area.adjusted(wordsWidth(theme, scale), 0, 0, 0);
    const int before = scale.labels.empty() ? 4 : overhang(metrics, scale.labels.front());
    const int after = scale.labels.empty() ? 4 : overhang(metrics, scale.labels.back());
    Places places;
    places.bar = QRect(labels.left() + before, area.top() + kTop,
                       std::max(1, labels.width() - before - after), theme.scaled(kBarHeight));
    // Fewer words before fewer labels.
    for (const bool brief : {false, true}) {
        places.brief = brief;
        places.labels.clear();
        int free = labels.left();
        bool all = true;
        for (const Label& label : scale.labels) {
            const int w = metrics.horizontalAdvance(wordsOf(label, brief));
            const int middle = places.bar.left() +
                               static_cast<int>(std::lround(label.at * (places.bar.width() - 1)));
            const int most = std::max(labels.left(), labels.right() + 1 - w);
            const QRect box(std::clamp(middle - w / 2, labels.left(), most),
                            places.bar.bottom() + 1, w, metrics.height());
            const bool fits = box.left() >= free;
            places.labels.push_back(fits ? box : QRect());
            if (fits) free = box.right() + 1 + kWordGap;
            all = all && fits;
        }
        if (all) break;
    }
    return places;
}

void ColorBar::paint(QPainter& painter, const QRect& area, const Scale& scale, const Theme& theme) {
    painter.save();
    const Palette& colours = theme.palette();
    const QFont font = labelFont(theme);
    painter.setFont(font);
    const Places places = placesIn(area, scale, theme);
    if (scale.twoFates) {
        const int words = wordsWidth(theme, scale) - kWordGap;
        paintWords(painter, QRect(area.left(), area.top(), words, area.height()), theme);
    }
    paintRamps(painter, places.bar, scale.twoFates, colours);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    for (const Triangle& t : scale.triangles) {
        painter.setBrush(t.color);
        const double x = places.bar.left() + t.at * (places.bar.width() - 1), y = area.top();
        painter.drawPolygon(QPolygonF({QPointF(x - 4, y), QPointF(x + 4, y), QPointF(x, y + 6)}));
    }
    painter.setPen(colours.mutedText);
    const int ascent = QFontMetrics(font).ascent();
    for (std::size_t i = 0; i < places.labels.size(); ++i)
        if (!places.labels[i].isNull())
            painter.drawText(places.labels[i].topLeft() + QPoint(0, ascent),
                             wordsOf(scale.labels[i], places.brief));
    painter.restore();
}

void ColorBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paint(painter, rect(), m_scale, m_context.theme);
}

std::vector<ColorBar::Label> importanceLabels(std::int64_t scored) {
    const float high = importanceHigh(scored);
    std::vector<ColorBar::Label> labels{{0.0, ColorBar::tr("top 50 %"), QStringLiteral("50 %")}};
    const struct {
        float v;
        const char16_t* text;
    } ticks[] = {{1.0F, u"10 %"}, {2.0F, u"1 %"}, {3.0F, u"0.1 %"}};
    for (const auto& tick : ticks)
        if (tick.v <= high + 1e-3F)
            labels.push_back(
                {rampPosition(tick.v, kImportanceLow, high), QString::fromUtf16(tick.text)});
    return labels;
}

std::vector<ColorBar::Label> massLabels() {
    return {{0.0, ColorBar::tr("uniform")},
            {1.0 / 3.0, QStringLiteral("10×")},
            {2.0 / 3.0, QStringLiteral("100×")},
            {1.0, QStringLiteral("1000×")}};
}

} // namespace fkv::viz
