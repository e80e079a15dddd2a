// SPDX-License-Identifier: GPL-3.0-or-later
// The settings page as its users meet it: typed, dragged, stepped and wheeled.
#include "app/pages/layer_slider.h"
#include "app/pages/settings_page.h"
#include "engine/select/budgets.h"
#include "tests/app/settings_fixture.h"

#include <QComboBox>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <cmath>

using namespace fkv;
using namespace fkv::app;
using fkv::testing::SettingsFixture;
using trace::Amount;

class TestSettingsPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anyTypedRateStays_data();
    void anyTypedRateStays();
    void tokensAndPercentAreLinked();
    void mibTakesTheLargestCountThatFits();
    void theUnitTypedLastIsKept();
    void whatIsOutOfRangeIsSaidAndNotApplied_data();
    void whatIsOutOfRangeIsSaidAndNotApplied();
    void aRefusedTextStaysUntilItIsMended();
    void typingIsNotOverwritten();
    void keysOfAField();
    void clampsAreSaid();
    void layerByFieldKeysAndClick();
    void knownResultsBelongToTheirSettings();
    void methodPoolingAndButtons();
    void changesComeOnce();
};

void TestSettingsPage::anyTypedRateStays_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<double>("rate");
    QTest::newRow("below the scale") << QStringLiteral("0.37") << 0.37 / 100.0;
    QTest::newRow("tiny") << QStringLiteral("0.0004") << 0.0004 / 100.0;
    QTest::newRow("odd digits") << QStringLiteral("12.3456") << 12.3456 / 100.0;
    QTest::newRow("comma") << QStringLiteral("33,3") << 33.3 / 100.0;
    QTest::newRow("sign") << QStringLiteral(" 7 % ") << 7.0 / 100.0;
    QTest::newRow("off") << QStringLiteral("100") << 1.0;
}

void TestSettingsPage::anyTypedRateStays() {
    QFETCH(QString, text);
    QFETCH(double, rate);
    SettingsFixture f;
    for (const bool tsp : {true, false}) {
        AmountEditor& editor = tsp ? f.page->tsp() : f.page->kv();
        f.type(editor.field(AmountEditor::Percent), text);
        const auto amount = [&] {
            return tsp ? f.settings.settings().tsp : f.settings.settings().kv;
        };
        QCOMPARE(amount(), Amount::ofRate(rate));
        QCOMPARE(editor.slider().rate(), rate);
        // Neither a repaint, a focus change nor a new run rounds it.
        editor.slider().setFocus();
        f.shown.setRun(f.shown.run(), f.shown.fate());
        QCOMPARE(amount(), Amount::ofRate(rate));
        QVERIFY(editor.field(AmountEditor::Percent).kept());
    }
}

void TestSettingsPage::tokensAndPercentAreLinked() {
    SettingsFixture f;
    AmountEditor& tsp = f.page->tsp();
    QCOMPARE(tsp.field(AmountEditor::Tokens).text(), QStringLiteral("289")); // trunc(1447 * 0.2)
    f.type(tsp.field(AmountEditor::Tokens), QStringLiteral("200"));
    QCOMPARE(f.settings.settings().tsp, Amount::ofTokens(200));
    QCOMPARE(tsp.field(AmountEditor::Percent).text(), QStringLiteral("13.8"));
    QVERIFY(tsp.field(AmountEditor::Tokens).kept());
    QVERIFY(!tsp.field(AmountEditor::Percent).kept());
    QCOMPARE(tsp.slider().rate(), 200.0 / 1447.0);
    QVERIFY(tsp.achieved().startsWith(QStringLiteral("13.8 %")));

    AmountEditor& kv = f.page->kv();
    f.type(kv.field(AmountEditor::Tokens), QStringLiteral("1,000"));
    QCOMPARE(f.settings.settings().kv, Amount::ofTokens(1000));
    // Early layers keep 1000, late ones no more than the 200 that arrive.
    const trace::Budgets b = f.budgets();
    QCOMPARE(kv.field(AmountEditor::MiB).text(),
             viz::formatSignificant(double(b.kvBytes) / (1 << 20)));
    QCOMPARE(kv.field(AmountEditor::Percent).text(), viz::formatSignificant(b.kvRate * 100.0));
    QCOMPARE(kv.slider().ceiling(), b.tspRate);
}

void TestSettingsPage::mibTakesTheLargestCountThatFits() {
    SettingsFixture f;
    AmountEditor& kv = f.page->kv();
    f.type(kv.field(AmountEditor::MiB), QStringLiteral("3.25"));
    const auto bytesWith = [&](std::int64_t tokens) {
        trace::Settings settings = f.settings.settings();
        settings.kv = Amount::ofTokens(tokens);
        return select::computeBudgets(settings, f.shown.run()->model, f.shown.run()->tokens())
            .kvBytes;
    };
    const auto limit = static_cast<std::int64_t>(3.25 * (1 << 20));
    QCOMPARE(f.settings.settings().kv.unit, Amount::Unit::Tokens);
    const std::int64_t tokens = f.settings.settings().kv.tokens;
    QVERIFY(bytesWith(tokens) <= limit);
    QVERIFY(bytesWith(tokens + 1) > limit);
    QVERIFY(kv.field(AmountEditor::MiB).kept());
    QCOMPARE(kv.field(AmountEditor::MiB).text(), QStringLiteral("3.25"));
    QCOMPARE(kv.field(AmountEditor::Tokens).text(), QString::number(tokens));
}

void TestSettingsPage::theUnitTypedLastIsKept() {
    SettingsFixture f;
    f.type(f.page->tsp().field(AmountEditor::Tokens), QStringLiteral("300"));
    f.type(f.page->kv().field(AmountEditor::MiB), QStringLiteral("2"));
    const std::int64_t before = f.settings.settings().kv.tokens;
    f.showTokens(900);
    QCOMPARE(f.settings.settings().tsp, Amount::ofTokens(300));
    QCOMPARE(f.page->tsp().field(AmountEditor::Percent).text(), QStringLiteral("33.3"));
    QVERIFY(f.page->kv().field(AmountEditor::MiB).kept());
    QCOMPARE(f.page->kv().field(AmountEditor::MiB).text(), QStringLiteral("2"));
    const trace::Budgets b = f.budgets();
    QVERIFY(b.kvBytes <= 2 << 20);
    QVERIFY(f.settings.settings().kv.tokens >=
            before); // fewer late tokens, so as many or more early

    // A percent typed later forgets the bytes; dragging chooses a percent too.
    f.type(f.page->kv().field(AmountEditor::Percent), QStringLiteral("10"));
    f.showTokens(1447);
    QCOMPARE(f.settings.settings().kv, Amount::ofRate(0.1));
    QVERIFY(f.page->kv().field(AmountEditor::Percent).kept());
    // Undo brings the bytes back, and their dot with them.
    f.type(f.page->kv().field(AmountEditor::MiB), QStringLiteral("2"));
    f.settings.undo();
    QVERIFY(f.page->kv().field(AmountEditor::Percent).kept());
    f.settings.redo();
    QVERIFY(f.page->kv().field(AmountEditor::MiB).kept());
}

void TestSettingsPage::whatIsOutOfRangeIsSaidAndNotApplied_data() {
    QTest::addColumn<int>("which");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, SettingsField field, const char* text, const char* said) {
        QTest::newRow(name) << static_cast<int>(field) << QString::fromUtf8(text)
                            << QString::fromUtf8(said);
    };
    row("TSP zero", SettingsField::TspPercent, "0", "TSP rate: above 0, at most 100 %");
    row("TSP negative", SettingsField::TspPercent, "-3", "TSP rate: above 0, at most 100 %");
    row("TSP above", SettingsField::TspPercent, "100.5", "TSP rate: above 0, at most 100 %");
    row("TSP NaN", SettingsField::TspPercent, "nan", "TSP rate: above 0, at most 100 %");
    row("TSP infinite", SettingsField::TspPercent, "inf", "TSP rate: above 0, at most 100 %");
    row("TSP underflow", SettingsField::TspPercent, "1e-323", "TSP rate: above 0, at most 100 %");
    row("TSP words", SettingsField::TspPercent, "twenty", "TSP rate: not a number");
    row("TSP empty", SettingsField::TspPercent, "", "TSP rate: not a number");
    row("TSP no tokens", SettingsField::TspTokens, "0", "TSP rate: 1 token or more");
    row("TSP half a token", SettingsField::TspTokens, "7.5", "TSP rate: not a number");
    row("KV zero", SettingsField::KvPercent, "0", "KV budget: above 0, at most 100 %");
    row("KV NaN", SettingsField::KvPercent, "NaN", "KV budget: above 0, at most 100 %");
    row("KV tokens", SettingsField::KvTokens, "-1", "KV budget: 1 token or more");
    row("KV MiB", SettingsField::KvMiB, "0", "KV budget: above 0 MiB");
    row("KV MiB NaN", SettingsField::KvMiB, "nan", "KV budget: above 0 MiB");
    row("layer beyond", SettingsField::TspLayer, "16", "TSP layer: 0 to 15");
    row("layer below", SettingsField::TspLayer, "-1", "TSP layer: 0 to 15");
    row("layer huge", SettingsField::TspLayer, "99999999999999999999", "TSP layer: 0 to 15");
    row("window none", SettingsField::Window, "0", "Window: 1 token or more");
    row("window huge", SettingsField::Window, "9999999999", "Window: 1 token or more");
    row("kernel even", SettingsField::Kernel, "6", "Kernel: odd, 1 or more");
    row("kernel none", SettingsField::Kernel, "0", "Kernel: odd, 1 or more");
}

void TestSettingsPage::whatIsOutOfRangeIsSaidAndNotApplied() {
    QFETCH(int, which);
    QFETCH(QString, text);
    QFETCH(QString, said);
    SettingsFixture f;
    const trace::Settings before = f.settings.settings();
    NumberField& field = f.field(static_cast<SettingsField>(which));
    const QString shown = field.text();
    f.type(field, text);
    QCOMPARE(f.settings.settings(), before);
    QVERIFY(!f.settings.canUndo());
    QCOMPARE(f.page->message(), said);
    QVERIFY(field.faulty());
    // Esc puts the setting's value back and takes the line away.
    field.setFocus();
    QTest::keyClick(&field, Qt::Key_Escape);
    QCOMPARE(field.text(), shown);
    QVERIFY(!field.faulty());
    QVERIFY(f.page->message().isEmpty());
}

void TestSettingsPage::aRefusedTextStaysUntilItIsMended() {
    SettingsFixture f;
    NumberField& field = f.page->tsp().field(AmountEditor::Percent);
    f.type(field, QStringLiteral("200"));
    f.page->kv().slider().setFocus();
    QCOMPARE(field.text(), QStringLiteral("200"));
    f.shown.setRun(f.shown.run(), f.shown.fate()); // a rerun comes in
    QCOMPARE(field.text(), QStringLiteral("200"));
    QVERIFY(field.faulty());
    f.type(field, QStringLiteral("30"));
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.3));
    QVERIFY(f.page->message().isEmpty());
    // A setting that changes elsewhere is what fields show.
    f.type(field, QStringLiteral("200"));
    f.page->kv().slider().setFocus();
    f.settings.undo();
    QCOMPARE(field.text(), QStringLiteral("20"));
    QVERIFY(!field.faulty());
    QVERIFY(f.page->message().isEmpty());
}

void TestSettingsPage::typingIsNotOverwritten() {
    SettingsFixture f;
    NumberField& field = f.page->kv().field(AmountEditor::Percent);
    field.setFocus();
    field.selectAll();
    QTest::keyClicks(&field, QStringLiteral("4"));
    f.shown.setRun(f.shown.run(), f.shown.fate());
    QCOMPARE(field.text(), QStringLiteral("4"));
    QTest::keyClicks(&field, QStringLiteral("0"));
    f.page->tsp().slider().setFocus(); // leaving commits
    QCOMPARE(f.settings.settings().kv, Amount::ofRate(0.4));
}

void TestSettingsPage::keysOfAField() {
    SettingsFixture f;
    NumberField& percent = f.page->tsp().field(AmountEditor::Percent);
    percent.setFocus();
    QTest::keyClick(&percent, Qt::Key_Up);
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.21));
    QTest::keyClick(&percent, Qt::Key_PageDown);
    QCOMPARE(f.settings.settings().tsp, Amount::ofRate(0.2));
    NumberField& tokens = f.page->tsp().field(AmountEditor::Tokens);
    tokens.setFocus();
    QTest::keyClick(&tokens, Qt::Key_Down);
    QCOMPARE(f.settings.settings().tsp, Amount::ofTokens(288));
    NumberField& kernel = f.field(SettingsField::Kernel);
    kernel.setFocus();
    QTest::keyClick(&kernel, Qt::Key_Up);
    QCOMPARE(f.settings.settings().kernel, 9);
    for (int i = 0; i < 9; ++i)
        QTest::keyClick(&kernel, Qt::Key_Down);
    QCOMPARE(f.settings.settings().kernel, 1);
    // Ctrl+Z and letters belong to the field.
    const trace::Settings before = f.settings.settings();
    QTest::keyClicks(&kernel, QStringLiteral("11"));
    QTest::keyClick(&kernel, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(f.settings.settings(), before);
    // Esc passes on, so that the window can give the focus back.
    QKeyEvent escape(QEvent::KeyPress, Qt::Key_Escape, Qt::NoModifier);
    QApplication::sendEvent(&kernel, &escape);
    QVERIFY(!escape.isAccepted());
    QCOMPARE(kernel.text(), QStringLiteral("1"));
}

void TestSettingsPage::clampsAreSaid() {
    SettingsFixture f;
    QVERIFY(f.page->message().isEmpty());
    f.type(f.page->kv().field(AmountEditor::Percent), QStringLiteral("50"));
    QCOMPARE(f.page->message(),
             QStringLiteral("Late layers hold only the 20.0 % that TSP passes."));
    f.type(f.page->kv().field(AmountEditor::Percent), QStringLiteral("0.1"));
    QCOMPARE(f.page->message(), QStringLiteral("KV raised to the window, 8 tokens."));
    f.type(f.page->tsp().field(AmountEditor::Tokens), QStringLiteral("3"));
    QVERIFY(f.page->message().startsWith(QStringLiteral("TSP raised to the window, 8 tokens.")));
    f.type(f.page->tsp().field(AmountEditor::Tokens), QStringLiteral("5000"));
    QVERIFY(
        f.page->message().startsWith(QStringLiteral("TSP off: the prompt has only 1,447 tokens.")));
    QCOMPARE(f.page->tsp().achieved(), QStringLiteral("off"));
    f.type(f.field(SettingsField::Window), QStringLiteral("2000"));
    QCOMPARE(f.page->message(),
             QStringLiteral("The prompt is no longer than the window: all is kept."));
    // Ties at the cut belong to what is achieved: the synthetic run has
    // plateaus, and without a rerun the cuts of 8 layers x 4 heads are known.
    f.settings.reset(select::defaultSettings(16));
    QVERIFY(f.page->kv().achieved().contains(QStringLiteral("/32 cuts tied")));
}

void TestSettingsPage::layerByFieldKeysAndClick() {
    SettingsFixture f;
    LayerSlider& slider = f.page->layerSlider();
    QCOMPARE(slider.layer(), 7);
    f.type(f.field(SettingsField::TspLayer), QStringLiteral("12"));
    QCOMPARE(f.settings.settings().tspLayer, 12);
    QCOMPARE(slider.layer(), 12);
    slider.setFocus();
    QTest::keyClick(&slider, Qt::Key_Left);
    QCOMPARE(f.settings.settings().tspLayer, 11);
    QTest::keyClick(&slider, Qt::Key_Home);
    QCOMPARE(f.settings.settings().tspLayer, 0);
    QTest::keyClick(&slider, Qt::Key_Down);
    QCOMPARE(f.settings.settings().tspLayer, 0);
    QTest::keyClick(&slider, Qt::Key_End);
    QCOMPARE(f.settings.settings().tspLayer, 15);
    QTest::keyClick(&slider, Qt::Key_PageDown);
    QCOMPARE(f.settings.settings().tspLayer, 13);
    // Every stop can be clicked, and a click is one step of undo.
    for (int layer = 0; layer < 16; ++layer) {
        QTest::mouseClick(&slider, Qt::LeftButton, {}, f.stop(layer));
        QCOMPARE(f.settings.settings().tspLayer, layer);
    }
    f.settings.undo();
    QCOMPARE(f.settings.settings().tspLayer, 14);
    QCOMPARE(f.field(SettingsField::TspLayer).text(), QStringLiteral("14"));
}

void TestSettingsPage::knownResultsBelongToTheirSettings() {
    SettingsFixture f;
    viz::Derived derived;
    viz::MeasuredLayer seven{f.settings.settings(), 0.1, {}, true, {}};
    viz::MeasuredLayer eight{
        f.settings.settings(), 9.0, {}, true, false}; // expected answer counts first
    eight.settings.tspLayer = 8;
    derived.measured = {seven, eight};
    f.shown.setDerived(derived);
    const auto known = [&](std::size_t layer) {
        return f.page->layerSlider().stops()[layer].known;
    };
    QCOMPARE(known(7), LayerSlider::Known::Holds);
    QCOMPARE(known(8), LayerSlider::Known::Breaks);
    QCOMPARE(known(9), LayerSlider::Known::Nothing);
    QVERIFY(f.page->layerSlider().stops()[3].held);
    QVERIFY(!f.page->layerSlider().stops()[4].held);
    QVERIFY(f.page->layerSlider().reading().text.contains(QStringLiteral("answer known to hold")));
    // At another rate nothing is known.
    f.type(f.page->tsp().field(AmountEditor::Percent), QStringLiteral("5"));
    QCOMPARE(known(7), LayerSlider::Known::Nothing);
    f.settings.undo();
    QCOMPARE(known(7), LayerSlider::Known::Holds);
}

void TestSettingsPage::methodPoolingAndButtons() {
    SettingsFixture f;
    auto* pooling = f.page->findChild<QComboBox*>();
    // Closed and without the focus, the wheel passes it by.
    f.page->tsp().slider().setFocus();
    f.wheel(*pooling, -120);
    QCOMPARE(f.settings.settings().pooling, trace::Pooling::Max);
    pooling->setFocus();
    f.wheel(*pooling, -120);
    QCOMPARE(f.settings.settings().pooling, trace::Pooling::Average);
    QTest::keyClick(pooling, Qt::Key_Up);
    QCOMPARE(f.settings.settings().pooling, trace::Pooling::Max);

    const auto click = [&](const QString& text) {
        for (QToolButton* button : f.page->findChildren<QToolButton*>())
            if (button->text() == text) return QTest::mouseClick(button, Qt::LeftButton);
        QFAIL(qPrintable(text));
    };
    click(QStringLiteral("Full"));
    QCOMPARE(f.settings.settings().method, trace::Method::Full);
    QVERIFY(!f.page->tsp().isEnabled());
    QVERIFY(!f.page->layerSlider().isEnabled());
    click(QStringLiteral("FastKV"));
    QVERIFY(f.page->tsp().isEnabled());
    f.type(f.page->kv().field(AmountEditor::Percent), QStringLiteral("3"));
    click(QStringLiteral("Defaults"));
    QCOMPARE(f.settings.settings(), select::defaultSettings(16));
    click(QStringLiteral("↶"));
    QCOMPARE(f.settings.settings().kv, Amount::ofRate(0.03));
    click(QStringLiteral("↷"));
    QCOMPARE(f.settings.settings(), select::defaultSettings(16));
}

void TestSettingsPage::changesComeOnce() {
    SettingsFixture f;
    QSignalSpy changed(&f.settings, &viz::SettingsModel::changed);
    f.type(f.page->tsp().field(AmountEditor::Percent), QStringLiteral("30"));
    QCOMPARE(changed.size(), 1);
    // So much that late layers are full: how many tokens fit then depends on the prompt.
    f.type(f.page->kv().field(AmountEditor::MiB), QStringLiteral("14"));
    QCOMPARE(changed.size(), 2);
    trace::Settings other = f.settings.settings();
    other.tspLayer = 3;
    other.window = 16;
    f.settings.set(other); // the TSP line of another view
    QCOMPARE(changed.size(), 3);
    QCOMPARE(f.page->layerSlider().layer(), 3);
    QCOMPARE(f.field(SettingsField::Window).text(), QStringLiteral("16"));
    f.showTokens(1200); // MiB is kept: one change, and no more
    QCOMPARE(changed.size(), 4);
    f.showTokens(1200);
    f.shown.setDerived({});
    f.theme.apply();
    QCOMPARE(changed.size(), 4);
}

QTEST_MAIN(TestSettingsPage)
#include "test_settings_page.moc"
