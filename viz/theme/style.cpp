// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/theme/style.h"

#include <QStyleOptionToolButton>

namespace fkv::viz {

Style::Style() : QProxyStyle(QStringLiteral("Fusion")) {}

void Style::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                               QPainter* painter, const QWidget* widget) const {
    const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option);
    if (control != CC_ToolButton || !button ||
        (button->features & QStyleOptionToolButton::MenuButtonPopup))
        return QProxyStyle::drawComplexControl(control, option, painter, widget);
    QStyleOptionToolButton plain = *button;
    plain.features &= ~QStyleOptionToolButton::HasMenu;
    QProxyStyle::drawComplexControl(control, &plain, painter, widget);
}

} // namespace fkv::viz
