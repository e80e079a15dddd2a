// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/heads_stage.h"

#include <QScopeGuard>
#include <QTranslator>

using namespace fkv;
using namespace fkv::viz;
using namespace fkv::testing;
using trace::Amount;

namespace {

/// Every string as if in a language that needs 40 % more.
class LongWords : public QTranslator {
public:
    bool isEmpty() const override { return false; }
    QString translate(const char*, const char* source, const char*, int) const override {
        const QString text = QString::fromUtf8(source);
        return text + QString((text.size() * 2 + 4) / 5, QLatin1Char('n'));
    }
};

QString problemWith(const PlotLabels& labels, const QFont& font, const QSize& size) {
    const QFontMetrics metrics(font);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const PlotLabel& a = labels[i];
        if (metrics.horizontalAdvance(a.text) > a.box.width())
            return a.text + QStringLiteral(" is cut");
        if (!QRect(QPoint(), size).contains(a.box)) return a.text + QStringLiteral(" is outside");
        for (std::size_t j = 0; j < i; ++j)
            if (!a.boxed && !labels[j].boxed && a.box.intersects(labels[j].box))
                return a.text + QStringLiteral(" covers ") + labels[j].text;
    }
    return {};
}

} // namespace

class TestHeadsLooks : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void labelsFit_data();
    void labelsFit();
    void pictures_data();
    void pictures();
    void picturesOfStates();
};

void TestHeadsLooks::labelsFit_data() {
    QTest::addColumn<bool>("large");
    QTest::addColumn<bool>("presenter");
    QTest::addColumn<bool>("longWords");
    for (const bool large : {false, true})
        for (const bool presenter : {false, true})
            for (const bool longWords : {false, true})
                QTest::addRow("%s, %s, %s", large ? "32x8" : "16x4",
                              presenter ? "presenter" : "normal", longWords ? "long" : "short")
                    << large << presenter << longWords;
}

void TestHeadsLooks::labelsFit() {
    QFETCH(bool, large);
    QFETCH(bool, presenter);
    QFETCH(bool, longWords);
    LongWords words; // leaves the application with its scope
    if (longWords) QCoreApplication::installTranslator(&words);
    const QFont normal = QApplication::font();
    const auto restore = qScopeGuard([normal] { QApplication::setFont(normal); });
    Stage stage(large ? largeRun() : demoRun());
    stage.fixture.theme.setPresenter(presenter);
    const QFont font = stage.fixture.theme.smallFont();
    for (const QSize size : {QSize(500, 190), QSize(700, 300), QSize(1000, 700)}) {
        if (presenter && size.width() < 700) continue; // panels are tabs then
        stage.panel.resize(size);
        for (const double tsp : {0.2, 0.35, 1.0}) {
            stage.moveTsp(tsp);
            for (int view = 0; view < 4; ++view) {
                stage.panel.setView(view);
                QCoreApplication::processEvents();
                if (view < 3) {
                    const HeadsPicture picture{stage.panel.model(), stage.fixture.theme,
                                               static_cast<HeadsView>(view)};
                    QCOMPARE(problemWith(picture.labels(stage.panel.grid().size(),
                                                        stage.panel.grid().layoutNow()),
                                         font, stage.panel.grid().size()),
                             QString());
                }
                if (stage.panel.head().isVisible())
                    QCOMPARE(problemWith(stage.panel.head().labels(stage.panel.head().size()), font,
                                         stage.panel.head().size()),
                             QString());
            }
            const KvFooter::Layout footer =
                stage.panel.footer().layoutIn(stage.panel.footer().size());
            QCOMPARE(problemWith({{footer.text, Qt::AlignLeft, footer.wording}}, font,
                                 stage.panel.footer().size()),
                     QString());
            QVERIFY(!footer.bar.intersects(footer.text));
        }
    }
}

void TestHeadsLooks::pictures_data() {
    QTest::addColumn<bool>("large");
    QTest::addColumn<QSize>("size");
    QTest::addColumn<bool>("dark");
    for (const bool large : {false, true})
        for (const QSize size : {QSize(500, 190), QSize(1000, 700)})
            for (const bool dark : {false, true})
                QTest::addRow("%s-%d-%s", large ? "32x8" : "16x4", size.width(),
                              dark ? "dark" : "light")
                    << large << size << dark;
}

void TestHeadsLooks::pictures() {
    QFETCH(bool, large);
    QFETCH(QSize, size);
    QFETCH(bool, dark);
    Stage stage(large ? largeRun() : demoRun(), size);
    stage.fixture.theme.setChoice(dark ? Theme::Choice::Dark : Theme::Choice::Light);
    const char* names[] = {"where", "mass", "span", "head"};
    for (int view = 0; view < 4; ++view) {
        stage.panel.setView(view);
        if (view == 3) stage.fixture.selection.pinHead(large ? 18 : 9, 2);
        QCoreApplication::processEvents();
        savePicture(stage.panel, QStringLiteral("%1-%2").arg(QLatin1String(QTest::currentDataTag()),
                                                             QLatin1String(names[view])));
    }
}

void TestHeadsLooks::picturesOfStates() {
    const auto save = [](Stage& stage, const char* name) {
        stage.fixture.theme.setChoice(Theme::Choice::Light);
        QCoreApplication::processEvents();
        savePicture(stage.panel, QLatin1String("state-") + QLatin1String(name));
    };
    {
        Stage stage(largeRun());
        trace::Settings moved = stage.fixture.settings.settings();
        moved.tsp = Amount::ofRate(0.15);
        stage.fixture.move(moved);
        stage.fixture.selection.pinHead(18, 3);
        stage.fixture.selection.setHover({-1, {}, 9, 5});
        save(stage, "preview");
        stage.panel.setView(1);
        save(stage, "preview-mass");
        stage.panel.setView(3);
        stage.fixture.selection.setHover({12'000, {11'990, 12'038}, 18, 3});
        save(stage, "preview-head");
        stage.panel.setView(0);
        save(stage, "hover-bin");
        moved.kv = Amount::ofRate(0.3);
        stage.fixture.move(moved);
        save(stage, "clamped");
        moved.tsp = Amount::ofRate(1.0);
        stage.fixture.move(moved);
        save(stage, "off");
        stage.panel.resize(1000, 190);
        save(stage, "off-wide");
    }
    {
        SyntheticSpec spec = demoSpec();
        spec.kvHeads = 32;
        spec.queryHeads = 32;
        Stage stage(makeRun(spec));
        save(stage, "narrow");
        stage.panel.resize(1000, 700);
        save(stage, "narrow-large");
    }
    {
        SyntheticSpec spec = demoSpec();
        spec.layers = 80;
        spec.kvHeads = 8;
        spec.settings.tspLayer = 39;
        Stage stage(makeRun(spec));
        save(stage, "deep");
        stage.fixture.selection.removeMark(1);
        stage.panel.setView(2);
        save(stage, "no-span");
    }
    {
        SyntheticSpec spec = demoSpec();
        spec.tokens = 20;
        Stage stage(makeRun(spec));
        save(stage, "tiny");
        stage.panel.setView(3);
        save(stage, "tiny-head");
        stage.fixture.theme.setPresenter(true);
        stage.panel.resize(1000, 700);
        stage.panel.setView(0);
        save(stage, "presenter");
        stage.fixture.theme.setPresenter(false);
    }
    {
        ViewFixture fixture;
        HeadsPanel panel(fixture.context());
        panel.resize(500, 190);
        savePicture(panel, QStringLiteral("state-empty"));
    }
}

QTEST_MAIN(TestHeadsLooks)
#include "test_heads_looks.moc"
