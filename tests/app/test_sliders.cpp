// SPDX-License-Identifier: GPL-3.0-or-later
// The painted sliders: their scale, gestures, wheel and keys.
#include "app/pages/log_scale.h"
#include "tests/app/settings_fixture.h"

#include <QSignalSpy>
#include <QTest>
#include <cmath>

using namespace fkv;
using namespace fkv::app;
using fkv::testing::SettingsFixture;
using trace::Amount;

class TestSliders : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theScaleIsExactAtItsTicks();
    void pointersChooseRoundRates();
    void stepsMeetTheSameValuesBothWays();
    void aDragIsOneStep();
    void aPressBesideTheHandleMovesIt();
    void aPressOnTheHandleDoesNot();
    void escapeBringsTheOldValueBack();
    void escapeReachesAHeldSliderThroughShortcuts();
    void losingTheFocusEndsAGesture();
    void theWheelNeedsTheFocus();
    void wheelTurnsAreOneStep();
    void keysOfASlider();
    void aHeldKeyIsOneStep();
    void otherButtonsDoNothing();
};

void TestSliders::theScaleIsExactAtItsTicks() {
    QCOMPARE(positionOfRate(kLeastRate), 0.0);
    QCOMPARE(positionOfRate(1.0), 1.0);
    QCOMPARE(rateAtPosition(0.0), kLeastRate);
    QCOMPARE(rateAtPosition(1.0), 1.0);
    QCOMPARE(positionOfRate(1e-9), 0.0);
    QCOMPARE(positionOfRate(std::nan("")), 0.0);
    QCOMPARE(rateAtPosition(-3.0), kLeastRate);
    QCOMPARE(rateAtPosition(7.0), 1.0);
    double before = -1.0;
    for (int i = 1; i <= 1000; ++i) {
        const double rate = i / 1000.0;
        const double position = positionOfRate(rate);
        QVERIFY(position >= before);
        before = position;
        if (rate >= kLeastRate) QVERIFY(std::fabs(rateAtPosition(position) - rate) < 1e-12);
    }
    for (const double percent : kTickPercents)
        QCOMPARE(percentText(percent / 100.0), QString::number(percent));
}

void TestSliders::pointersChooseRoundRates() {
    for (const double track : {150.0, 212.0, 400.0, 1500.0}) {
        for (const double percent : kTickPercents)
            for (const double off : {-3.0, 0.0, 3.0})
                QCOMPARE(rateForPointer(positionOfRate(percent / 100.0) + off / track, track),
                         percent / 100.0);
        double before = 0.0;
        for (double x = -20.0; x <= track + 20.0; x += 1.0) {
            const double rate = rateForPointer(x / track, track);
            QVERIFY(rate >= kLeastRate && rate <= 1.0);
            QVERIFY(rate >= before); // to the right is never less
            before = rate;
            // Never more digits than a pixel tells apart.
            QVERIFY2(percentText(rate).size() <= 5, qPrintable(percentText(rate)));
            // And never further than what snapping moves it.
            if (x >= 0.0 && x <= track) QVERIFY(std::fabs(positionOfRate(rate) * track - x) <= 5.0);
        }
    }
}

void TestSliders::stepsMeetTheSameValuesBothWays() {
    std::vector<double> up;
    for (double rate = kLeastRate; rate < 1.0; rate = steppedRate(rate, SliderStep::Up)) {
        if (!up.empty()) QVERIFY(rate > up.back());
        up.push_back(rate);
        QVERIFY(up.size() < 200);
        QVERIFY2(percentText(rate).size() <= 4, qPrintable(percentText(rate)));
    }
    up.push_back(1.0);
    for (std::size_t i = up.size(); i-- > 1;)
        QVERIFY2(std::fabs(steppedRate(up[i], SliderStep::Down) - up[i - 1]) < 1e-12,
                 qPrintable(percentText(up[i])));
    QCOMPARE(steppedRate(0.2, SliderStep::Up), 0.21);
    QCOMPARE(steppedRate(0.2, SliderStep::PageUp), 0.5);
    QCOMPARE(steppedRate(0.2, SliderStep::PageDown), 0.1);
    QCOMPARE(steppedRate(0.34, SliderStep::PageDown), 0.2);
    QCOMPARE(steppedRate(1.0, SliderStep::Up), 1.0);
    QCOMPARE(steppedRate(0.003, SliderStep::Down), 0.003); // typed below the scale: down is not up
    QCOMPARE(steppedRate(0.003, SliderStep::PageUp), 0.01);
}

void TestSliders::aDragIsOneStep() {
    SettingsFixture f;
    LogSlider& slider = f.page->tsp().slider();
    QSignalSpy changed(&f.settings, &viz::SettingsModel::changed);
    QTest::mousePress(&slider, Qt::LeftButton, {},
                      f.at(slider, slider.rate() >= 0 ? positionOfRate(0.2) : 0));
    QVERIFY(f.settings.dragging());
    QVERIFY(slider.hasFocus());
    for (const double rate : {0.15, 0.1, 0.05, 0.02})
        QTest::mouseMove(&slider, f.at(slider, positionOfRate(rate)));
    QVERIFY(f.settings.dragging());
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.02));
    QCOMPARE(f.shown.fate()->settings.tsp, Amount::ofRate(0.02)); // the preview is there
    QTest::mouseRelease(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.02)));
    QVERIFY(!f.settings.dragging());
    QCOMPARE(changed.size(), 5); // four moves and the end
    QCOMPARE(f.page->tsp().field(AmountEditor::Percent).text(), QStringLiteral("2"));
    f.settings.undo();
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.2));
    QVERIFY(!f.settings.canUndo());
    QCOMPARE(slider.rate(), 0.2);
    // Past the right end is off.
    QTest::mousePress(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.2)));
    QTest::mouseMove(&slider, f.at(slider, 1.3));
    QTest::mouseRelease(&slider, Qt::LeftButton, {}, f.at(slider, 1.3));
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(1.0));
    QCOMPARE(f.page->tsp().achieved(), QStringLiteral("off"));
}

void TestSliders::aPressBesideTheHandleMovesIt() {
    SettingsFixture f;
    LogSlider& slider = f.page->kv().slider();
    QTest::mouseClick(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.5)));
    QCOMPARE(f.settings.settings().kv, Amount::ofRate(0.5));
    QTest::mouseDClick(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.01)));
    QTest::mouseRelease(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.01)));
    QCOMPARE(f.settings.settings().kv, Amount::ofRate(0.01));
    QVERIFY(!f.settings.dragging());
}

void TestSliders::aPressOnTheHandleDoesNot() {
    SettingsFixture f;
    f.type(f.page->tsp().field(AmountEditor::Percent), QStringLiteral("12.3456"));
    LogSlider& slider = f.page->tsp().slider();
    const QPoint handle = f.at(slider, positionOfRate(0.123456));
    for (const int off : {-5, 0, 5}) {
        QTest::mouseClick(&slider, Qt::LeftButton, {}, handle + QPoint(off, 0));
        QCOMPARE(f.settings.settings().tsp, Amount::ofRate(12.3456 / 100.0));
    }
}

void TestSliders::escapeBringsTheOldValueBack() {
    SettingsFixture f;
    for (const bool layer : {false, true}) {
        PaintedSlider& slider =
            layer ? static_cast<PaintedSlider&>(f.page->layerSlider()) : f.page->kv().slider();
        const trace::Settings before = f.settings.settings();
        const QPoint handle = f.at(slider, layer ? 7.0 / 15.0 : positionOfRate(0.1));
        QTest::mousePress(&slider, Qt::LeftButton, {}, handle);
        QTest::mouseMove(&slider, handle + QPoint(60, 0));
        QVERIFY(f.settings.settings() != before);
        QTest::keyClick(&slider, Qt::Key_Escape);
        QCOMPARE(f.settings.settings(), before);
        QVERIFY(!f.settings.dragging());
        // The button is still down: what it does now means nothing.
        QTest::mouseMove(&slider, handle + QPoint(90, 0));
        QTest::mouseRelease(&slider, Qt::LeftButton, {}, handle + QPoint(90, 0));
        QCOMPARE(f.settings.settings(), before);
        QVERIFY(!f.settings.canUndo());
        // Without a drag Esc is not the slider's.
        QKeyEvent escape(QEvent::KeyPress, Qt::Key_Escape, Qt::NoModifier);
        QApplication::sendEvent(&slider, &escape);
        QVERIFY(!escape.isAccepted());
    }
    QCOMPARE(f.page->kv().slider().rate(), 0.1);
    QCOMPARE(f.page->layerSlider().layer(), 7);
}

void TestSliders::escapeReachesAHeldSliderThroughShortcuts() {
    SettingsFixture f;
    LogSlider& slider = f.page->kv().slider();
    QKeyEvent idle(QEvent::ShortcutOverride, Qt::Key_Escape, Qt::NoModifier);
    idle.ignore();
    QApplication::sendEvent(&slider, &idle);
    QVERIFY(!idle.isAccepted());
    QTest::mousePress(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.1)));
    QKeyEvent held(QEvent::ShortcutOverride, Qt::Key_Escape, Qt::NoModifier);
    held.ignore();
    QApplication::sendEvent(&slider, &held);
    QVERIFY(held.isAccepted());
    QTest::mouseRelease(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.1)));
}

void TestSliders::losingTheFocusEndsAGesture() {
    SettingsFixture f;
    LogSlider& slider = f.page->tsp().slider();
    QTest::mousePress(&slider, Qt::LeftButton, {}, f.at(slider, positionOfRate(0.2)));
    QTest::mouseMove(&slider, f.at(slider, positionOfRate(0.05)));
    f.page->kv().field(AmountEditor::Percent).setFocus();
    QVERIFY(!f.settings.dragging());
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.05));
    QTest::mouseRelease(&slider, Qt::LeftButton);
    slider.setFocus();
    QTest::keyPress(&slider, Qt::Key_Right);
    QVERIFY(f.settings.dragging());
    f.page->hide();
    QVERIFY(!f.settings.dragging());
}

void TestSliders::theWheelNeedsTheFocus() {
    SettingsFixture f;
    const trace::Settings before = f.settings.settings();
    f.page->kv().field(AmountEditor::Percent).setFocus();
    for (PaintedSlider* slider : f.page->findChildren<PaintedSlider*>()) {
        QVERIFY(!f.wheel(*slider, 120)); // it goes on to the page, which scrolls
        QVERIFY(!f.wheel(*slider, -120));
    }
    QCOMPARE(f.settings.settings(), before);
    LogSlider& slider = f.page->tsp().slider();
    slider.setFocus();
    QVERIFY(f.wheel(slider, 120));
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.21));
}

void TestSliders::wheelTurnsAreOneStep() {
    SettingsFixture f;
    LogSlider& slider = f.page->tsp().slider();
    slider.setFocus();
    // A touch pad sends parts of a notch.
    for (int i = 0; i < 16; ++i)
        f.wheel(slider, 30);
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.24));
    QVERIFY(f.settings.dragging());
    QTRY_VERIFY(!f.settings.dragging());
    f.settings.undo();
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.2));
    QVERIFY(!f.settings.canUndo());
    // A key right after a turn finds it finished.
    f.wheel(slider, 120);
    QVERIFY(f.settings.dragging());
    QTest::keyPress(&slider, Qt::Key_Z, Qt::ControlModifier);
    QVERIFY(!f.settings.dragging());
}

void TestSliders::keysOfASlider() {
    SettingsFixture f;
    LogSlider& slider = f.page->kv().slider();
    slider.setFocus();
    const auto press = [&](Qt::Key key) {
        QTest::keyClick(&slider, key);
        return f.settings.settings().kv.rate;
    };
    QCOMPARE(press(Qt::Key_Right), 0.11);
    QCOMPARE(press(Qt::Key_Left), 0.1);
    QCOMPARE(press(Qt::Key_Up), 0.11);
    QCOMPARE(press(Qt::Key_PageUp), 0.2);
    QCOMPARE(press(Qt::Key_End), 1.0);
    QCOMPARE(press(Qt::Key_PageDown), 0.5);
    QCOMPARE(press(Qt::Key_Home), kLeastRate);
    QVERIFY(!f.settings.dragging());
    // Letters, and arrows with modifiers, are the views' and the window's.
    for (const auto& [key, modifier] :
         {std::pair(Qt::Key_P, Qt::NoModifier), std::pair(Qt::Key_Left, Qt::ControlModifier),
          std::pair(Qt::Key_Z, Qt::ControlModifier)}) {
        QKeyEvent event(QEvent::KeyPress, key, modifier);
        QApplication::sendEvent(&slider, &event);
        QVERIFY(!event.isAccepted());
    }
    QCOMPARE(f.settings.settings().kv.rate, kLeastRate);
}

void TestSliders::aHeldKeyIsOneStep() {
    SettingsFixture f;
    LayerSlider& slider = f.page->layerSlider();
    slider.setFocus();
    QTest::keyPress(&slider, Qt::Key_Left);
    for (int i = 0; i < 3; ++i) {
        QKeyEvent release(QEvent::KeyRelease, Qt::Key_Left, Qt::NoModifier, {}, true);
        QKeyEvent press(QEvent::KeyPress, Qt::Key_Left, Qt::NoModifier, {}, true);
        QApplication::sendEvent(&slider, &release);
        QApplication::sendEvent(&slider, &press);
    }
    QVERIFY(f.settings.dragging());
    QTest::keyRelease(&slider, Qt::Key_Left);
    QVERIFY(!f.settings.dragging());
    QCOMPARE(f.settings.settings().tspLayer, 3);
    f.settings.undo();
    QCOMPARE(f.settings.settings().tspLayer, 7);
}

void TestSliders::otherButtonsDoNothing() {
    SettingsFixture f;
    LogSlider& slider = f.page->tsp().slider();
    const trace::Settings before = f.settings.settings();
    for (const Qt::MouseButton button : {Qt::RightButton, Qt::MiddleButton})
        QTest::mouseClick(&slider, button, {}, f.at(slider, 0.2));
    QTest::mouseMove(&slider, f.at(slider, 0.9));
    QCOMPARE(f.settings.settings(), before);
    slider.setEnabled(false);
    QTest::mouseClick(&slider, Qt::LeftButton, {}, f.at(slider, 0.2));
    QCOMPARE(f.settings.settings(), before);
}

QTEST_MAIN(TestSliders)
#include "test_sliders.moc"
