// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/token_page.h"

#include "viz/series/format.h"

#include <QFontMetrics>
#include <algorithm>
#include <cmath>
#include <utility>

namespace fkv::viz {
namespace {

/// More lines than any screen shows; past that the cache begins anew.
constexpr std::size_t kMostLinesKept = 600;
/// Shaping may come out a little wider than the sum of widths.
constexpr int kSlack = 3;
constexpr int kLeastText = 20;

} // namespace

void TokenPage::setText(std::shared_ptr<const TokenText> text) {
    if (text == m_text) return;
    m_text = std::move(text);
    measure();
    layOut();
}

void TokenPage::setFonts(const QFont& text, const QFont& index) {
    m_font = TokenFont(text);
    m_indexFont = index;
    measure();
    layOut();
}

void TokenPage::setWidth(int px) {
    if (px == m_width) return;
    m_width = px;
    layOut();
}

void TokenPage::measure() {
    const QFontMetrics metrics(m_indexFont);
    const std::int64_t tokens = m_text ? m_text->size() : 0;
    const QString widest = formatCount(tokens).replace(QLatin1Char('1'), QLatin1Char('0'));
    m_indexWidth = metrics.horizontalAdvance(widest) + kGap;
    m_badgeWidth = metrics.horizontalAdvance(QLatin1Char('0')) + kGap;
    m_widths = m_text ? m_font.widths(*m_text) : ShapeWidths{};
}

void TokenPage::layOut() {
    m_shaped.clear();
    m_layout = TokenLayout();
    if (!m_text || m_width <= 0) return;
    m_layout = TokenLayout(*m_text, m_widths, textWidth());
    ++m_layoutsMade;
}

int TokenPage::textWidth() const {
    return std::max(kLeastText, m_width - textLeft() - kSlack);
}

std::int64_t TokenPage::lineAt(std::int64_t y) const {
    if (lines() == 0) return -1;
    return std::clamp<std::int64_t>((y - kMargin) / lineHeight(), 0, lines() - 1);
}

const ShapedLine& TokenPage::line(std::int64_t line) const {
    const auto known = m_shaped.find(line);
    if (known != m_shaped.end()) return known->second;
    if (m_shaped.size() >= kMostLinesKept) m_shaped.clear();
    ++m_linesShaped;
    return m_shaped.emplace(line, shapeLine(*m_text, m_layout, m_font, line, textWidth()))
        .first->second;
}

TokenRange TokenPage::tokensAt(std::int64_t x, std::int64_t y, bool nearest) const {
    const bool inside = y >= kMargin && y < kMargin + lines() * lineHeight();
    const std::int64_t at = lineAt(y);
    if (at < 0 || (!inside && !nearest)) return {};
    const ShapedLine& shaped = line(at);
    const double offset = static_cast<double>(x - textLeft());
    const ShapedLine::Box* box = shaped.at(offset);
    if (box == nullptr) return {};
    if (nearest) return box->tokens;
    const auto covers = [offset](const ShapedLine::Stretch& s) {
        return offset >= static_cast<double>(s.left) - 0.5 &&
               offset <= static_cast<double>(s.right) + 0.5;
    };
    const bool hit = std::any_of(box->stretches.begin(), box->stretches.end(), covers);
    return hit ? box->tokens : TokenRange{};
}

QRect TokenPage::rectOf(std::int64_t token) const {
    if (!m_text || token < 0 || token >= m_text->size() || lines() == 0) return {};
    const std::int64_t at = m_layout.lineOf(token);
    const ShapedLine::Box* box = line(at).of(token);
    if (box == nullptr) return {};
    const int left = textLeft() + static_cast<int>(std::floor(box->left()));
    const int right = textLeft() + static_cast<int>(std::ceil(box->right()));
    return {left, static_cast<int>(lineTop(at)), right - left, lineHeight()};
}

} // namespace fkv::viz
