// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/token_looks.h"
#include "viz/state/selection.h"
#include "viz/text/token_page.h"
#include "viz/theme/palette.h"

#include <array>

class QPainter;

namespace fkv::viz {

/// Ink over the ramps, by importance and fate: contrast decides, not the theme (VIEWS, Tokens 2,
/// 3). Kept: black or white. Dropped: that ink at 55 %, more where it would fall below 3:1.
class TokenInks {
public:
    TokenInks() = default;
    explicit TokenInks(const Palette& colours);
    QColor background(const TokenLook& look) const;
    QColor ink(const TokenLook& look) const;

private:
    static std::size_t index(float share) {
        return static_cast<std::size_t>(share * 255.0F + 0.5F);
    }
    std::array<QRgb, 256> m_kept{}, m_dropped{}; ///< ramps
    std::array<QRgb, 256> m_inkOnKept{}, m_inkOnDropped{};
    QRgb m_base = 0, m_text = 0;
};

/// Everything that the marks on a line depend on. References are to the caller's.
struct TokenScene {
    const TokenPage& page;
    const TokenLooks& looks; ///< not valid(): plain text
    const Selection& selection;
    const Palette& colours;
    const TokenInks& inks;
    bool strikeAllDropped = false;
    TokenRange chosen;     ///< by dragging
    TokenRange currentHit; ///< of the search
};

/// Draws one line of the page, its top left corner at the painter's origin, text as glyphs of the
/// shaped line; on devices that keep text (SVG), as text.
void paintTokenLine(QPainter& painter, const TokenScene& scene, std::int64_t line);

/// The look of a box: that of its most important token.
TokenLook lookOf(const TokenLooks& looks, TokenRange tokens);

} // namespace fkv::viz
