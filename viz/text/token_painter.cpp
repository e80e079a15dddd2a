// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/token_painter.h"

#include "viz/series/format.h"

#include <QPaintEngine>
#include <QPainter>
#include <algorithm>

namespace fkv::viz {
namespace {

constexpr double kDroppedInk = 0.55;
constexpr double kLeastContrast = 3.0;

QRgb droppedInk(const QColor& background) {
    const QColor full = inkOn(background);
    for (double share = kDroppedInk; share < 1.0; share += 0.05) {
        const QColor ink = faded(full, background, share);
        if (contrast(ink, background) >= kLeastContrast) return ink.rgb();
    }
    return full.rgb();
}

class LinePainter {
public:
    LinePainter(QPainter& painter, const TokenScene& scene, std::int64_t line)
        : m_painter(painter),
          m_scene(scene),
          m_page(scene.page),
          m_line(m_page.line(line)),
          m_font(m_page.font()),
          m_left(m_page.textLeft()) {
        const auto engine = painter.paintEngine()->type();
        m_keepText = engine == QPaintEngine::SVG || engine == QPaintEngine::Pdf;
    }

    void paint() {
        paintIndex();
        for (const ShapedLine::Box& box : m_line.boxes)
            paintBox(box);
        for (const TokenRange& hit : visibleHits())
            paintHit(hit);
        paintMarks();
        paintOverlay();
    }

private:
    QRectF rectOf(const ShapedLine::Stretch& s) const {
        const double left = m_left + static_cast<double>(s.left);
        return {left, static_cast<double>(m_font.boxTop()),
                static_cast<double>(s.right) - static_cast<double>(s.left),
                static_cast<double>(m_font.boxHeight())};
    }

    void paintIndex() {
        m_painter.setFont(m_page.indexFont());
        m_painter.setPen(m_scene.colours.mutedText);
        const QRect column(0, 0, m_page.indexRight(), m_font.boxTop() + m_font.boxHeight());
        m_painter.drawText(column, Qt::AlignRight | Qt::AlignVCenter,
                           formatCount(m_line.tokens.begin));
    }

    void paintBox(const ShapedLine::Box& box) {
        const bool plain = !m_scene.looks.valid();
        const TokenLook look = plain ? TokenLook{} : lookOf(m_scene.looks, box.tokens);
        const QColor ink = plain ? m_scene.colours.text : m_scene.inks.ink(look);
        const bool pill = kindOf(box) == TokenShape::Kind::Pill;
        for (const ShapedLine::Stretch& s : box.stretches) {
            // One px of the page between boxes shows where tokens end.
            const QRectF area = rectOf(s).adjusted(0, 0, -1, 0);
            if (!plain && !look.window) m_painter.fillRect(area, m_scene.inks.background(look));
            // Neighbours share an edge, so that it crosses no letter.
            if (look.window)
                outline(rectOf(s).adjusted(0, 0, 1, 0), m_scene.colours.mutedText, 1.0,
                        Qt::SolidLine);
            if (pill) paintPill(area, ink);
            if (look.kept) paintBar(area);
            if (look.tied) outline(area, ink, 1.0, Qt::DotLine);
        }
        paintText(box, kindOf(box) == TokenShape::Kind::Newline && !plain
                           ? faded(ink, m_scene.inks.background(look), 0.7)
                           : ink);
        if (!plain && !look.kept && struck(box, look)) strike(box, look, ink);
    }

    TokenShape::Kind kindOf(const ShapedLine::Box& box) const {
        return m_page.text()->shapes()[box.shape].kind;
    }

    void paintPill(const QRectF& area, const QColor& ink) {
        m_painter.setRenderHint(QPainter::Antialiasing);
        m_painter.setPen(QPen(ink, 1.0));
        m_painter.setBrush(Qt::NoBrush);
        const double radius = 0.5 * (area.height() - 4.0);
        m_painter.drawRoundedRect(area.adjusted(1.5, 2.5, -1.5, -2.5), radius, radius);
        m_painter.setRenderHint(QPainter::Antialiasing, false);
    }

    void paintBar(const QRectF& area) {
        const QRectF bar(area.left(), m_font.barTop(), area.width(), TokenFont::kBar);
        if (m_scene.looks.state() != trace::State::Preview) {
            m_painter.fillRect(bar, m_scene.colours.fastkv);
            return;
        }
        // A preview is hatched wherever it is drawn; two px leave room for dashes.
        for (double x = bar.left(); x < bar.right(); x += 4.0)
            m_painter.fillRect(QRectF(x, bar.top(), std::min(2.0, bar.right() - x), bar.height()),
                               m_scene.colours.fastkv);
    }

    void paintText(const ShapedLine::Box& box, const QColor& ink) {
        m_painter.setPen(ink);
        const double baseline = m_font.boxTop() + m_font.ascent();
        if (!m_keepText) {
            const QPointF origin(m_left, baseline - m_line.baseline);
            for (const QGlyphRun& run : box.glyphs)
                m_painter.drawGlyphRun(origin, run);
            return;
        }
        m_painter.setFont(kindOf(box) == TokenShape::Kind::Pill ? m_font.pill() : m_font.text());
        m_painter.drawText(QPointF(m_left + static_cast<double>(box.left()), baseline), box.drawn);
    }

    bool struck(const ShapedLine::Box& box, const TokenLook& look) const {
        if (look.lost || m_scene.strikeAllDropped) return true;
        const auto& marks = m_scene.selection.marks();
        return std::any_of(marks.begin(), marks.end(), [&box](const Mark& m) {
            return m.span && m.tokens.begin < box.tokens.end && box.tokens.begin < m.tokens.end;
        });
    }

    void strike(const ShapedLine::Box& box, const TokenLook& look, const QColor& ink) {
        const QColor background = m_scene.inks.background(look);
        const bool seen = contrast(m_scene.colours.lost, background) >= kLeastContrast;
        m_painter.setPen(
            QPen(look.lost && seen ? m_scene.colours.lost : ink, look.lost ? 2.0 : 1.0));
        const double y = m_font.boxTop() + 0.62 * m_font.ascent();
        for (const ShapedLine::Stretch& s : box.stretches) {
            const QRectF area = rectOf(s);
            m_painter.drawLine(QPointF(area.left() + 1, y), QPointF(area.right() - 2, y));
        }
    }

    void outline(const QRectF& area, const QColor& color, double width, Qt::PenStyle style) {
        m_painter.setBrush(Qt::NoBrush);
        m_painter.setPen(QPen(color, width, style, Qt::SquareCap, Qt::MiterJoin));
        const double half = 0.5 * width;
        m_painter.drawRect(area.adjusted(half, half, -half, -half));
    }

    /// Stretches of all boxes with a token in `tokens`, those that touch joined to one.
    std::vector<QRectF> areasOf(TokenRange tokens) const {
        std::vector<QRectF> areas;
        for (const ShapedLine::Box& box : m_line.boxes)
            if (box.tokens.begin < tokens.end && tokens.begin < box.tokens.end)
                for (const ShapedLine::Stretch& s : box.stretches)
                    areas.push_back(rectOf(s));
        std::sort(areas.begin(), areas.end(),
                  [](const QRectF& a, const QRectF& b) { return a.left() < b.left(); });
        std::vector<QRectF> joined;
        for (const QRectF& area : areas) {
            if (!joined.empty() && area.left() <= joined.back().right() + 0.75)
                joined.back().setRight(std::max(joined.back().right(), area.right()));
            else
                joined.push_back(area);
        }
        return joined;
    }

    /// Edge of a run of tokens: around box and bar, so that it hides neither.
    void edge(TokenRange tokens, const QColor& color, double width) {
        for (const QRectF& area : areasOf(tokens))
            outline(area.adjusted(-width, -1, width - 1, TokenFont::kBar + 2), color, width,
                    Qt::SolidLine);
    }

    std::vector<TokenRange> visibleHits() const {
        const auto& hits = m_scene.selection.hits();
        auto hit = std::lower_bound(
            hits.begin(), hits.end(), m_line.tokens.begin,
            [](const TokenRange& h, std::int64_t begin) { return h.end <= begin; });
        std::vector<TokenRange> visible;
        for (; hit != hits.end() && hit->begin < m_line.tokens.end; ++hit)
            visible.push_back(*hit);
        return visible;
    }

    void paintHit(TokenRange hit) {
        const bool current = hit == m_scene.currentHit;
        edge(hit, m_scene.colours.text, current ? 2.0 : 1.0);
    }

    void paintMarks() {
        const auto& marks = m_scene.selection.marks();
        int badges = 0;
        for (const Mark& mark : marks) {
            if (mark.tokens.begin >= m_line.tokens.end || mark.tokens.end <= m_line.tokens.begin)
                continue;
            const QColor& color =
                m_scene.colours.pins[static_cast<std::size_t>(mark.number - 1) % 8];
            edge(mark.tokens, color, 2.0);
            if (mark.tokens.begin >= m_line.tokens.begin) paintBadge(mark, color, badges++);
        }
    }

    /// Number of a pin or span, left of the line it begins on. Several of one line stand side by
    /// side, over the index.
    void paintBadge(const Mark& mark, const QColor& color, int place) {
        const int width = m_page.badgeWidth();
        const QRect badge(m_page.indexRight() + 2 - place * width, m_font.boxTop() + 1, width - 1,
                          m_font.boxHeight() - 2);
        m_painter.fillRect(badge, color);
        m_painter.setFont(m_page.indexFont());
        m_painter.setPen(inkOn(color));
        m_painter.drawText(badge, Qt::AlignCenter, QString::number(mark.number));
    }

    void paintOverlay() {
        if (m_scene.chosen.size() > 0) {
            QColor tint = m_scene.colours.focus;
            tint.setAlpha(60);
            for (const QRectF& area : areasOf(m_scene.chosen)) {
                m_painter.fillRect(area, tint);
                m_painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1),
                                   m_scene.colours.focus);
            }
        }
        const std::int64_t hovered = m_scene.selection.hover().token;
        if (const ShapedLine::Box* box = hovered >= 0 ? m_line.of(hovered) : nullptr)
            edge(box->tokens, m_scene.colours.hover, 1.0);
    }

    QPainter& m_painter;
    const TokenScene& m_scene;
    const TokenPage& m_page;
    const ShapedLine& m_line;
    const TokenFont& m_font;
    double m_left;
    bool m_keepText;
};

} // namespace

TokenInks::TokenInks(const Palette& colours)
    : m_kept(colours.rampKept),
      m_dropped(colours.rampDropped),
      m_base(colours.base.rgb()),
      m_text(colours.text.rgb()) {
    for (std::size_t i = 0; i < m_kept.size(); ++i) {
        m_inkOnKept[i] = inkOn(QColor(m_kept[i])).rgb();
        m_inkOnDropped[i] = droppedInk(QColor(m_dropped[i]));
    }
}

QColor TokenInks::background(const TokenLook& look) const {
    if (look.window) return QColor(m_base);
    return QColor((look.kept ? m_kept : m_dropped)[index(look.share)]);
}

QColor TokenInks::ink(const TokenLook& look) const {
    if (look.window) return QColor(m_text);
    return QColor((look.kept ? m_inkOnKept : m_inkOnDropped)[index(look.share)]);
}

TokenLook lookOf(const TokenLooks& looks, TokenRange tokens) {
    TokenLook best = looks.at(tokens.begin);
    for (std::int64_t i = tokens.begin + 1; i < tokens.end; ++i) {
        const TokenLook look = looks.at(i);
        if (look.share > best.share) best = look;
    }
    return best;
}

void paintTokenLine(QPainter& painter, const TokenScene& scene, std::int64_t line) {
    LinePainter(painter, scene, line).paint();
}

} // namespace fkv::viz
