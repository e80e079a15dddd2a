// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/view_fixture.h"
#include "viz/plots/panel.h"
#include "viz/plots/view_switch.h"

#include <QMenu>
#include <QToolButton>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;

namespace {

class SomePanel : public Panel {
public:
    explicit SomePanel(const ViewContext& context)
        : Panel(context, {QStringLiteral("some"),
                          QStringLiteral("Some panel"),
                          QStringLiteral("what is it?"),
                          {}}) {
        auto* body = new QWidget(this);
        body->setFocusPolicy(Qt::StrongFocus);
        setBody(body);
        setViews({QStringLiteral("One view"), QStringLiteral("Another view"),
                  QStringLiteral("The third view")});
    }
    QString csv() const override { return {}; }
};

QToolButton* buttonNamed(const QWidget& widget, const QString& text) {
    for (QToolButton* button : widget.findChildren<QToolButton*>())
        if (button->isVisible() && button->text() == text) return button;
    return nullptr;
}

} // namespace

class TestViewSwitch : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void becomesAMenuWhereTheRowIsTooWide() {
        testing::ViewFixture f;
        SomePanel panel(f.context());
        panel.resize(800, 120);
        panel.show();
        QVERIFY(QTest::qWaitForWindowExposed(&panel));
        auto* choice = panel.findChild<ViewSwitch*>();
        QVERIFY(!choice->narrow());
        QSignalSpy changed(&panel, &Panel::viewChanged);
        QToolButton* second = buttonNamed(panel, QStringLiteral("Another view"));
        QVERIFY(second != nullptr);
        QVERIFY(second->width() >= second->sizeHint().width());
        QTest::mouseClick(second, Qt::LeftButton);
        QCOMPARE(panel.view(), 1);
        QCOMPARE(changed.count(), 1);

        panel.resize(panel.minimumSizeHint().width(), 120);
        QTRY_VERIFY(choice->narrow());
        QToolButton* menu = buttonNamed(panel, QStringLiteral("Another view ▾"));
        QVERIFY(menu != nullptr);
        QVERIFY(menu->fontMetrics().horizontalAdvance(menu->text()) <= menu->width());
        QVERIFY(choice->geometry().right() < panel.width());
        menu->menu()->actions().at(2)->trigger();
        QCOMPARE(panel.view(), 2);
        QCOMPARE(changed.count(), 2);

        panel.resize(800, 120);
        QTRY_VERIFY(!choice->narrow());
        QVERIFY(buttonNamed(panel, QStringLiteral("The third view"))->isChecked());
    }
    void theBorderFollowsTheFocus() {
        testing::ViewFixture f;
        SomePanel panel(f.context());
        panel.resize(400, 120);
        panel.show();
        QVERIFY(QTest::qWaitForWindowExposed(&panel));
        const auto bordered = [&panel](const QColor& colour) {
            const QImage image = panel.grab().toImage();
            const int x = image.width() / 2, y = image.height() / 2;
            // On a screen of 1.25 the line may end a pixel before the picture does.
            const auto near = [&](int dx, int dy) {
                for (int i = 0; i < 2; ++i)
                    if (image.pixelColor(dx ? image.width() - 1 - i : x,
                                         dy ? image.height() - 1 - i : y) == colour)
                        return true;
                return false;
            };
            return image.pixelColor(0, y) == colour && near(1, 0) && near(0, 1);
        };
        panel.body()->setFocus();
        QTRY_VERIFY(bordered(f.theme.palette().focus));
        panel.body()->clearFocus();
        QTRY_VERIFY(bordered(f.theme.palette().border));
    }
};

QTEST_MAIN(TestViewSwitch)
#include "test_view_switch.moc"
