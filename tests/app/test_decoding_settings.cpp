// SPDX-License-Identifier: GPL-3.0-or-later
// The group "Decoding" of the settings page: typed, stepped, undone, and what it tells.
#include "tests/app/label_fit.h"
#include "tests/app/settings_fixture.h"

#include <QTest>
#include <QToolButton>

using namespace fkv;
using namespace fkv::app;
using fkv::testing::SettingsFixture;

namespace {

const QString kNotUsed = QStringLiteral("Not used: at temperature 0 nothing is drawn.");

/// The page with its group unfolded.
struct Fixture : SettingsFixture {
    Fixture() { QTest::mouseClick(&fold(), Qt::LeftButton); }
    QToolButton& fold() { return *page->decoding().findChild<QToolButton*>(); }
    const trace::Sampling& sampling() { return settings.settings().sampling; }
    void type(SettingsField which, const char* text) {
        SettingsFixture::type(field(which), QString::fromUtf8(text));
    }
};

} // namespace

class TestDecodingSettings : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_font = QApplication::font(); }
    void cleanup() { QApplication::setFont(m_font); } // a theme takes what it finds as the system's

    void foldsAway() {
        Fixture f;
        NumberField& seed = f.field(SettingsField::Seed);
        QVERIFY(f.page->decoding().open() && seed.isVisible());
        const int open = f.page->minimumSizeHint().height();
        const int width = f.page->decoding().minimumSizeHint().width();
        QTest::mouseClick(&f.fold(), Qt::LeftButton);
        QCOMPARE(f.page->decoding().minimumSizeHint().width(), width);
        QVERIFY(!f.page->decoding().open() && !seed.isVisible());
        QVERIFY(f.field(SettingsField::Generate).isVisible());
        QTRY_VERIFY(f.page->minimumSizeHint().height() < open);
        f.fold().setFocus();
        QTest::keyClick(&f.fold(), Qt::Key_Space);
        QVERIFY(f.page->decoding().open());
    }

    void typedValuesAreOneStepEach() {
        Fixture f;
        QCOMPARE(f.field(SettingsField::Generate).text(), QStringLiteral("32"));
        QCOMPARE(f.field(SettingsField::Temperature).text(), QStringLiteral("0"));
        f.type(SettingsField::Generate, "1,000");
        QCOMPARE(f.settings.settings().generate, 1000);
        QCOMPARE(f.field(SettingsField::Generate).text(), QStringLiteral("1000"));
        f.type(SettingsField::Temperature, "0,7");
        QCOMPARE(f.sampling().temperature, 0.7);
        QCOMPARE(f.field(SettingsField::Temperature).text(), QStringLiteral("0.7"));
        f.type(SettingsField::TopK, "40");
        f.type(SettingsField::TopP, ".925");
        f.type(SettingsField::Seed, "4294967295");
        QCOMPARE(f.sampling(), (trace::Sampling{0.7, 40, 0.925, 4294967295U}));
        QCOMPARE(f.field(SettingsField::TopP).text(), QStringLiteral("0.925"));
        for (int i = 0; i < 4; ++i)
            f.settings.undo();
        QCOMPARE(f.sampling(), trace::Sampling{});
        QCOMPARE(f.field(SettingsField::Temperature).text(), QStringLiteral("0"));
        QCOMPARE(f.settings.settings().generate, 1000);
        f.settings.undo();
        QCOMPARE(f.field(SettingsField::Generate).text(), QStringLiteral("32"));
        QVERIFY(!f.settings.canUndo());
        for (int i = 0; i < 5; ++i)
            f.settings.redo();
        QCOMPARE(f.sampling(), (trace::Sampling{0.7, 40, 0.925, 4294967295U}));
        QCOMPARE(f.field(SettingsField::Seed).text(), QStringLiteral("4294967295"));
    }

    void moreDigitsThanAFieldShowsStay() {
        Fixture f;
        f.type(SettingsField::Temperature, "0.123456789");
        f.field(SettingsField::TopP).setFocus();
        f.shown.setRun(f.shown.run(), f.shown.fate());
        QCOMPARE(f.sampling().temperature, 0.123456789);
    }

    void greedyUsesNoOtherField() {
        Fixture f;
        const auto draws = {SettingsField::TopK, SettingsField::TopP, SettingsField::Seed};
        for (const SettingsField which : draws) {
            QVERIFY(!f.field(which).isEnabled());
            QVERIFY(f.field(which).toolTip().endsWith(kNotUsed));
            QVERIFY(f.field(which).accessibleDescription().endsWith(kNotUsed));
        }
        QVERIFY(f.field(SettingsField::Temperature).isEnabled());
        f.type(SettingsField::Temperature, "1");
        for (const SettingsField which : draws) {
            QVERIFY(f.field(which).isEnabled());
            QVERIFY(!f.field(which).toolTip().isEmpty());
            QVERIFY(!f.field(which).toolTip().contains(kNotUsed));
        }
        f.settings.undo();
        for (const SettingsField which : draws)
            QVERIFY(!f.field(which).isEnabled());
        // The method does not matter: the full-context answer is drawn, too.
        f.settings.redo();
        trace::Settings full = f.settings.settings();
        full.method = trace::Method::Full;
        f.settings.set(full);
        QVERIFY(f.field(SettingsField::Seed).isEnabled());
    }

    void whatIsOutOfRangeIsSaidAndNotApplied_data() {
        QTest::addColumn<int>("which");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* name, SettingsField field, const char* text,
                            const char* said) {
            QTest::newRow(name) << static_cast<int>(field) << QString::fromUtf8(text)
                                << QString::fromUtf8(said);
        };
        using enum SettingsField;
        // The run has 1,447 tokens, its model a context of 16,384.
        row("length beyond", Generate, "14938",
            "Length: 0 to 14,937 tokens, all the context has left");
        row("length below", Generate, "-1", "Length: 0 to 14,937 tokens, all the context has left");
        row("half a token", Generate, "2.5", "Length: not a number");
        row("temperature below", Temperature, "-0.1", "Temperature: 0 (greedy) to 100");
        row("temperature above", Temperature, "100.1", "Temperature: 0 (greedy) to 100");
        row("temperature NaN", Temperature, "nan", "Temperature: 0 (greedy) to 100");
        row("temperature words", Temperature, "warm", "Temperature: not a number");
        row("top-k below", TopK, "-1", "Top-k: 1 or more, 0 for all");
        row("top-k beyond", TopK, "2147483648", "Top-k: 1 or more, 0 for all");
        row("top-p none", TopP, "0", "Top-p: above 0, at most 1 (all)");
        row("top-p above", TopP, "1.01", "Top-p: above 0, at most 1 (all)");
        row("top-p infinite", TopP, "inf", "Top-p: above 0, at most 1 (all)");
        row("top-p empty", TopP, "", "Top-p: not a number");
        row("seed below", Seed, "-1", "Seed: 0 to 4,294,967,295");
        row("seed beyond", Seed, "4294967296", "Seed: 0 to 4,294,967,295");
        row("seed words", Seed, "lucky", "Seed: not a number");
    }
    void whatIsOutOfRangeIsSaidAndNotApplied() {
        QFETCH(int, which);
        QFETCH(QString, text);
        QFETCH(QString, said);
        Fixture f;
        f.type(SettingsField::Temperature, "0.5");
        const trace::Settings before = f.settings.settings();
        NumberField& field = f.field(static_cast<SettingsField>(which));
        const QString shown = field.text();
        static_cast<SettingsFixture&>(f).type(field, text);
        QCOMPARE(f.settings.settings(), before);
        QCOMPARE(f.page->message(), said);
        QVERIFY(field.faulty());
        QTest::keyClick(&field, Qt::Key_Escape);
        QCOMPARE(field.text(), shown);
        QVERIFY(!field.faulty() && f.page->message().isEmpty());
    }

    void endsAreWithin() {
        Fixture f;
        f.type(SettingsField::Generate, "14937");
        QCOMPARE(f.settings.settings().generate, 14937);
        f.type(SettingsField::Generate, "0");
        QCOMPARE(f.settings.settings().generate, 0);
        f.type(SettingsField::Temperature, "100");
        QCOMPARE(f.sampling().temperature, 100.0);
        f.type(SettingsField::TopK, "2147483647");
        QCOMPARE(f.sampling().topK, 2147483647);
        QVERIFY(f.page->message().isEmpty());
    }

    void withoutAPromptTheEngineHasTheLastWord() {
        const EditResult most = edited({}, SettingsField::Generate, QStringLiteral("1048576"), {});
        QVERIFY(most.settings && most.settings->generate == trace::kMostGenerate);
        const EditResult beyond =
            edited({}, SettingsField::Generate, QStringLiteral("1048577"), {});
        QCOMPARE(beyond.fault, QStringLiteral("Length: 0 to 1,048,576 tokens"));
    }

    void keysStepAndStopAtTheEnds() {
        Fixture f;
        const auto press = [&f](SettingsField which, Qt::Key key) {
            NumberField& field = f.field(which);
            field.setFocus();
            QTest::keyClick(&field, key);
        };
        press(SettingsField::Temperature, Qt::Key_Down);
        QVERIFY(!f.settings.canUndo());
        for (int i = 0; i < 7; ++i)
            press(SettingsField::Temperature, Qt::Key_Up);
        QCOMPARE(f.sampling().temperature, 0.7); // and not 0.7000000000000001
        press(SettingsField::Temperature, Qt::Key_PageDown);
        QCOMPARE(f.sampling().temperature, 0.0);
        f.type(SettingsField::Temperature, "1");
        press(SettingsField::TopP, Qt::Key_Up);
        QCOMPARE(f.sampling().topP, 1.0);
        press(SettingsField::TopP, Qt::Key_PageDown);
        QCOMPARE(f.sampling().topP, 0.9);
        press(SettingsField::TopK, Qt::Key_PageUp);
        press(SettingsField::TopK, Qt::Key_Down);
        QCOMPARE(f.sampling().topK, 9);
        press(SettingsField::Seed, Qt::Key_Down);
        QCOMPARE(f.sampling().seed, 0U);
        press(SettingsField::Seed, Qt::Key_Up);
        QCOMPARE(f.sampling().seed, 1U);
        press(SettingsField::Generate, Qt::Key_PageUp);
        QCOMPARE(f.settings.settings().generate, 42);
        f.type(SettingsField::Generate, "14930");
        press(SettingsField::Generate, Qt::Key_PageUp);
        QCOMPARE(f.settings.settings().generate, 14937);
        // As over the other fields, the wheel scrolls what is around.
        QVERIFY(!f.wheel(f.field(SettingsField::Seed), 120));
        QCOMPARE(f.sampling().seed, 1U);
    }

    void defaultsAreGreedy() {
        Fixture f;
        f.type(SettingsField::Temperature, "1");
        f.type(SettingsField::Generate, "7");
        for (QToolButton* button : f.page->findChildren<QToolButton*>())
            if (button->text() == QStringLiteral("Defaults")) button->click();
        QCOMPARE(f.settings.settings(), select::defaultSettings(16));
        QCOMPARE(f.field(SettingsField::Generate).text(), QStringLiteral("32"));
    }

    void theHeadingSaysWhatIsFoldedAway() {
        Fixture f;
        QTest::mouseClick(&f.fold(), Qt::LeftButton);
        auto* words = f.page->decoding().findChild<QWidget*>(QStringLiteral("drawnHow"));
        QCOMPARE(words->toolTip(), QStringLiteral("greedy"));
        trace::Settings s = f.settings.settings();
        s.sampling = {0.7, 0, 0.9, 1};
        f.settings.set(s);
        QCOMPARE(words->toolTip(), QStringLiteral("temperature 0.7, top-p 0.9, seed 1"));
        QCOMPARE(static_cast<viz::ElidedLabel*>(words)->shown(), QStringLiteral("sampled"));
        testing::savePicture(*f.page, QStringLiteral("decoding-folded"));
        QTest::mouseClick(&f.fold(), Qt::LeftButton);
        QVERIFY(!words->isVisible()); // the fields say it
    }

    void nothingIsCutOff_data() {
        testing::addTypeRows();
    }
    void nothingIsCutOff() {
        QFETCH(bool, presenter);
        QFETCH(bool, longer);
        testing::LongTranslator translator;
        if (longer) QCoreApplication::installTranslator(&translator);
        Fixture f;
        f.theme.setPresenter(presenter);
        trace::Settings s = f.settings.settings();
        s.generate = 14937;
        s.sampling = {0.75, 1000, 0.95, 4294967295U};
        f.settings.set(s);
        f.page->resize(std::max(f.theme.scaled(248), f.page->minimumSizeHint().width()),
                       f.theme.scaled(420));
        const QStringList faults = testing::cutOffAtRest(f.page->decoding(), true);
        if (longer) QCoreApplication::removeTranslator(&translator);
        QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
        if (!longer) QVERIFY(f.page->minimumSizeHint().width() <= f.theme.scaled(248));
        for (const bool dark : {false, true}) {
            f.theme.setChoice(dark ? viz::Theme::Choice::Dark : viz::Theme::Choice::Light);
            QCoreApplication::processEvents();
            testing::savePicture(*f.page,
                                 QStringLiteral("decoding-%1-%2")
                                     .arg(QString::fromLatin1(QTest::currentDataTag()),
                                          dark ? QStringLiteral("dark") : QStringLiteral("light")));
        }
    }

private:
    QFont m_font;
};

QTEST_MAIN(TestDecodingSettings)
#include "test_decoding_settings.moc"
