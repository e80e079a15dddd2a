// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/accessible_slider.h"

#include "app/pages/painted_slider.h"

#include <QAccessibleWidget>

namespace fkv::app {
namespace {

class AccessibleSlider : public QAccessibleWidget, public QAccessibleValueInterface {
public:
    explicit AccessibleSlider(PaintedSlider* slider)
        : QAccessibleWidget(slider, QAccessible::Slider), m_slider(slider) {}

    void* interface_cast(QAccessible::InterfaceType type) override {
        if (type == QAccessible::ValueInterface)
            return static_cast<QAccessibleValueInterface*>(this);
        return QAccessibleWidget::interface_cast(type);
    }
    QString text(QAccessible::Text kind) const override {
        return kind == QAccessible::Value ? m_slider->reading().text
                                          : QAccessibleWidget::text(kind);
    }
    QVariant currentValue() const override { return m_slider->reading().value; }
    void setCurrentValue(const QVariant& value) override { m_slider->setReading(value.toDouble()); }
    QVariant maximumValue() const override { return m_slider->reading().most; }
    QVariant minimumValue() const override { return m_slider->reading().least; }
    QVariant minimumStepSize() const override { return m_slider->reading().step; }

private:
    PaintedSlider* m_slider;
};

QAccessibleInterface* makeInterface(const QString&, QObject* object) {
    auto* slider = qobject_cast<PaintedSlider*>(object);
    return slider ? new AccessibleSlider(slider) : nullptr;
}

} // namespace

void installSliderAccessibility() {
    static const bool installed = [] {
        QAccessible::installFactory(makeInterface);
        return true;
    }();
    (void)installed;
}

} // namespace fkv::app
