// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QProxyStyle>

namespace fkv::viz {

/// Fusion, the one style that draws every control from the palette alone, without the speck it puts into
/// the corner of a button that opens a menu: our buttons carry an arrow in their text. A style sheet
/// could do the same, but a widget with one no longer follows a change of palette.
class Style : public QProxyStyle {
    Q_OBJECT
public:
    Style();
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                            const QWidget* widget) const override;
};

} // namespace fkv::viz
