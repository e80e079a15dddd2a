// SPDX-License-Identifier: GPL-3.0-or-later
// How the settings page looks and what assistive tools are told.
#include "app/pages/log_scale.h"
#include "tests/app/label_fit.h"
#include "tests/app/settings_fixture.h"

#include <QAccessible>
#include <QTest>

using namespace fkv;
using namespace fkv::app;
using fkv::testing::SettingsFixture;
using trace::Amount;

class TestSettingsLook : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_font = QApplication::font(); }
    void cleanup() { QApplication::setFont(m_font); } // a theme takes what it finds as the system's
    void assistiveToolsSeeAndSetIt();
    void handlesAreWhereTheValueIs_data();
    void handlesAreWhereTheValueIs();
    void nothingIsCutOff_data();
    void nothingIsCutOff();
    void withoutARun();
    void pictures();

private:
    QFont m_font;
};

void TestSettingsLook::assistiveToolsSeeAndSetIt() {
    SettingsFixture f;
    QAccessibleInterface* tsp = QAccessible::queryAccessibleInterface(&f.page->tsp().slider());
    QVERIFY(tsp && tsp->role() == QAccessible::Slider);
    QCOMPARE(tsp->text(QAccessible::Name), QStringLiteral("TSP rate"));
    QCOMPARE(tsp->text(QAccessible::Value), QStringLiteral("20 %"));
    QVERIFY(tsp->text(QAccessible::Description).startsWith(QStringLiteral("20.0 %")));
    QVERIFY(tsp->valueInterface());
    QCOMPARE(tsp->valueInterface()->currentValue().toDouble(), 20.0);
    tsp->valueInterface()->setCurrentValue(5.0);
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.05));
    QVERIFY(f.settings.canUndo() && !f.settings.dragging());
    QAccessibleInterface* layer = QAccessible::queryAccessibleInterface(&f.page->layerSlider());
    QVERIFY(layer->text(QAccessible::Value)
                .startsWith(QStringLiteral("layer 7 of 0 to 15, checkpoint held")));
    layer->valueInterface()->setCurrentValue(99);
    QCOMPARE(f.settings.settings().tspLayer, 15);
    for (const QWidget* widget : f.page->findChildren<QWidget*>())
        if (widget->focusPolicy() != Qt::NoFocus && widget->isVisibleTo(f.page.get()))
            QVERIFY2(!QAccessible::queryAccessibleInterface(const_cast<QWidget*>(widget))
                          ->text(QAccessible::Name)
                          .isEmpty(),
                     widget->metaObject()->className());
}

void TestSettingsLook::handlesAreWhereTheValueIs_data() {
    QTest::addColumn<bool>("dark");
    QTest::addColumn<double>("scale");
    for (const bool dark : {false, true})
        for (const double scale : {1.0, 1.25, 2.0})
            QTest::addRow("%s %gx", dark ? "dark" : "light", scale) << dark << scale;
}

void TestSettingsLook::handlesAreWhereTheValueIs() {
    QFETCH(bool, dark);
    QFETCH(double, scale);
    SettingsFixture f;
    f.theme.setChoice(dark ? viz::Theme::Choice::Dark : viz::Theme::Choice::Light);
    const viz::Palette& colours = f.theme.palette();
    QVERIFY(viz::contrast(colours.tspLine, colours.window) >= 3.0);
    QVERIFY(viz::contrast(colours.fastkv, colours.window) >= 3.0);
    QVERIFY(viz::contrast(colours.mutedText, colours.window) >= 4.5);
    const auto colorAt = [&](PaintedSlider& slider, double position) {
        QImage image((QSizeF(slider.size()) * scale).toSize(), QImage::Format_RGB32);
        image.setDevicePixelRatio(scale);
        image.fill(colours.window);
        slider.render(&image, {}, {}, QWidget::DrawChildren);
        const QPointF place = QPointF(slider.xAt(position), slider.trackMiddle()) * scale;
        return QColor(image.pixel(place.toPoint()));
    };
    for (const double rate : {0.005, 0.02, 0.2, 1.0}) {
        trace::Settings settings = f.settings.settings();
        settings.tsp = Amount::ofRate(rate);
        settings.kv = Amount::ofRate(rate);
        f.settings.set(settings);
        QCOMPARE(colorAt(f.page->tsp().slider(), positionOfRate(rate)), colours.tspLine);
        QCOMPARE(colorAt(f.page->kv().slider(), positionOfRate(rate)), colours.fastkv);
    }
    for (const int layer : {0, 7, 15}) {
        trace::Settings settings = f.settings.settings();
        settings.tspLayer = layer;
        f.settings.set(settings);
        QCOMPARE(colorAt(f.page->layerSlider(), layer / 15.0), colours.tspLine);
    }
    // Held stops are filled, others are not.
    QCOMPARE(colorAt(f.page->layerSlider(), 1.0 / 15.0), colours.mutedText);
    QCOMPARE(colorAt(f.page->layerSlider(), 2.0 / 15.0), colours.window);
}

void TestSettingsLook::nothingIsCutOff_data() {
    testing::addTypeRows();
}

void TestSettingsLook::nothingIsCutOff() {
    QFETCH(bool, presenter);
    QFETCH(bool, longer);
    testing::LongTranslator translator;
    if (longer) QCoreApplication::installTranslator(&translator);
    SettingsFixture f;
    f.theme.setPresenter(presenter);
    f.page->resize(std::max(f.theme.scaled(248), f.page->minimumSizeHint().width()),
                   f.theme.scaled(360));
    viz::Derived derived;
    derived.measured.push_back({f.settings.settings(), 0.1, {}, true, {}});
    f.shown.setDerived(derived);
    f.type(f.page->kv().field(AmountEditor::Percent), QStringLiteral("50"));
    f.type(f.field(SettingsField::Kernel), QStringLiteral("4"));
    const QStringList faults = testing::cutOffAtRest(*f.page, longer);
    if (longer) QCoreApplication::removeTranslator(&translator);
    QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
    if (longer) return; // it may grow then
    QVERIFY(f.page->minimumSizeHint().width() <= f.theme.scaled(248));
    QVERIFY(f.page->minimumSizeHint().height() <= f.theme.scaled(336));
}

void TestSettingsLook::withoutARun() {
    testing::ViewFixture f;
    f.theme.apply();
    SettingsPage page(f.context());
    page.show();
    QVERIFY(!page.layerSlider().isEnabled());
    QVERIFY(!page.kv().field(AmountEditor::MiB).isEnabled());
    trace::ModelInfo model;
    model.layers = 32;
    page.setModel(model);
    f.settings.reset(select::defaultSettings(32));
    QCOMPARE(page.layerSlider().stops().size(), std::size_t{32});
    QCOMPARE(page.layerSlider().layer(), 15);
    QCOMPARE(page.tsp().slider().rate(), 0.2);
    QCOMPARE(page.tsp().field(AmountEditor::Tokens).text(), QStringLiteral("–"));
}

void TestSettingsLook::pictures() {
    SettingsFixture f;
    viz::Derived derived;
    for (const int layer : {5, 6, 7, 8, 9}) {
        viz::MeasuredLayer m{f.settings.settings(), 0.1, {}, layer == 7, {}};
        m.settings.tspLayer = layer;
        derived.measured.push_back(m);
    }
    f.shown.setDerived(derived);
    f.page->tsp().slider().setFocus();
    for (const bool presenter : {false, true}) {
        for (const bool dark : {false, true}) {
            f.theme.setChoice(dark ? viz::Theme::Choice::Dark : viz::Theme::Choice::Light);
            f.theme.setPresenter(presenter);
            f.page->resize(f.theme.scaled(248), f.theme.scaled(336));
            testing::savePicture(
                *f.page,
                QStringLiteral("settings-%1-%2")
                    .arg(dark ? QStringLiteral("dark") : QStringLiteral("light"),
                         presenter ? QStringLiteral("presenter") : QStringLiteral("normal")));
        }
    }
    f.theme.setPresenter(false);
    f.page->resize(420, 380);
    f.type(f.page->kv().field(AmountEditor::Percent), QStringLiteral("0.3"));
    f.type(f.page->tsp().field(AmountEditor::Percent), QStringLiteral("nan"));
    testing::savePicture(*f.page, QStringLiteral("settings-fault"));
    f.settings.reset(select::defaultSettings(16));
    f.type(f.page->kv().field(AmountEditor::MiB), QStringLiteral("20"));
    f.page->resize(248, 336);
    testing::savePicture(*f.page, QStringLiteral("settings-clamped"));
}

QTEST_MAIN(TestSettingsLook)
#include "test_settings_look.moc"
